package dev.resourcecache

import dev.resourcecache.ffi.ManualClock
import kotlin.time.Clock

/** The clock that a cache goes by: the system's, or a given one, which its native side is set to. */
internal class CacheTime(private val clock: Clock) {
    /** None for the system's: the native library reads that by itself. */
    val native: ManualClock? = if (clock === Clock.System) null else ManualClock(now())

    fun now(): Long = clock.now().toEpochMilliseconds()

    /** Before each call that goes by the time. */
    fun tick() {
        native?.setMs(now())
    }

    fun close() {
        native?.close()
    }
}

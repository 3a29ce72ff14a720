package dev.resourcecache

import kotlin.time.Clock
import kotlin.time.Instant
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.serialization.Serializable

/** What the tests list. */
@Serializable
data class Zone(val id: String, val name: String = "$id.example", val ttl: Int = 300)

fun zones(vararg ids: String): ByteArray = list(*ids.map { Zone(it) }.toTypedArray())

fun list(vararg zones: Zone): ByteArray =
    zones.joinToString(",", "[", "]") { """{"id":"${it.id}","name":"${it.name}","ttl":${it.ttl},"owner":"x"}""" }
        .encodeToByteArray()

val ResourceCache<Zone>.ids: List<String> get() = rows.value.map { it.id }

/** A list in virtual time: its clock is the scheduler's. */
@OptIn(ExperimentalCoroutinesApi::class)
fun TestScope.zoneCache(settings: Settings = Settings(seed = 1)): ResourceCache<Zone> =
    ResourceCache(Zone.serializer(), backgroundScope, settings, clock = virtualClock, dispatcher = StandardTestDispatcher(testScheduler))

@OptIn(ExperimentalCoroutinesApi::class)
val TestScope.virtualClock: Clock
    get() = object : Clock {
        override fun now() = Instant.fromEpochMilliseconds(testScheduler.currentTime)
    }

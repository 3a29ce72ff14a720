package dev.resourcecache

import kotlin.time.Duration
import kotlinx.serialization.json.JsonElement

/** An operation to begin. */
public sealed class Begin<out T> {
    /**
     * Shows a new resource before the server has it.
     *
     * @property value the resource, under a temporary or its final id.
     */
    public data class Create<out T>(public val value: T) : Begin<T>()

    /**
     * Shows a resource with a patch laid over it until the server has it.
     *
     * @property id the resource.
     * @property patch a JSON merge patch (RFC 7396).
     */
    public data class Update(public val id: String, public val patch: JsonElement) : Begin<Nothing>()

    /**
     * Hides a resource that is about to be deleted.
     *
     * @property id the resource.
     */
    public data class Delete(public val id: String) : Begin<Nothing>()

    /**
     * Marks a resource as undergoing an operation.
     *
     * @property id the resource.
     * @property kind which.
     */
    public data class Process(public val id: String, public val kind: Kind = Kind.PROCESS) : Begin<Nothing>()
}

/**
 * An operation to begin, and how.
 *
 * @property begin what.
 * @property minTtl how long it guards at least; the settings' otherwise.
 * @property sendAfter leaves its sending to the outbox, this much later at the earliest.
 */
public data class Step<out T>(
    public val begin: Begin<T>,
    public val minTtl: Duration? = null,
    public val sendAfter: Duration? = null,
) {
    internal fun native(wire: Wire<@UnsafeVariance T & Any>): dev.resourcecache.ffi.Step {
        val what = when (begin) {
            is Begin.Create -> dev.resourcecache.ffi.Begin.Create(wire.text(begin.value!!))
            is Begin.Update -> dev.resourcecache.ffi.Begin.Update(begin.id, begin.patch.toString())
            is Begin.Delete -> dev.resourcecache.ffi.Begin.Delete(begin.id)
            is Begin.Process -> dev.resourcecache.ffi.Begin.Process(begin.id, begin.kind.native())
        }
        return dev.resourcecache.ffi.Step(what, minTtl.ms("minTtl"), sendAfter.ms("sendAfter"))
    }
}

/**
 * Does what the user did, one thing or several, whole or not at all, and keeps it as a step that [undo]
 * undoes.
 *
 * @param label names it for the user, such as `Delete 5 zones`.
 */
public suspend fun <T : Any> ResourceCache<T>.perform(label: String, steps: List<Step<T>>): Change<T> =
    changing { perform(label, steps.map { it.native(wire) }) }

/**
 * Undoes the last step: what was not sent is taken back, and costs nothing; what was sent gets its
 * inverse, queued if the step was, else among the answer's operations for the caller to send
 * ([requestOf]). What is not any more what the step made of it is left alone, and told among the
 * conflicts. Without a step it does nothing.
 */
public suspend fun <T : Any> ResourceCache<T>.undo(): Change<T> = changing { undo() }

/** Redoes the step that was undone last, in the same way. */
public suspend fun <T : Any> ResourceCache<T>.redo(): Change<T> = changing { redo() }

/** Forgets all steps. */
public suspend fun <T : Any> ResourceCache<T>.clearHistory(): Change<T> = changing { clearHistory() }

/** The labels of the steps that can be undone, the next first. */
public val <T : Any> ResourceCache<T>.undoLabels: List<String> get() = reading { native.undoLabels() }

/** The labels of the steps that can be redone, the next first. */
public val <T : Any> ResourceCache<T>.redoLabels: List<String> get() = reading { native.redoLabels() }

package dev.resourcecache

import kotlin.time.Instant
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.intOrNull

/**
 * What goes on with a resource. One that is idle, or of which the server has accepted all, has none.
 *
 * @property metadata what is told of it.
 */
public sealed class Status(public val metadata: Metadata) {
    /** It is being created. */
    public class Creating internal constructor(metadata: Metadata) : Status(metadata)

    /** It is being changed. */
    public class Updating internal constructor(metadata: Metadata) : Status(metadata)

    /** Something else goes on. */
    public class Processing internal constructor(metadata: Metadata) : Status(metadata)

    /** Something else was just completed, and is shown as such for a moment. */
    public class Processed internal constructor(metadata: Metadata) : Status(metadata)

    /** It is being deleted, or was and is guarded by its tombstone. */
    public class Deleting internal constructor(metadata: Metadata) : Status(metadata)

    /** An attempt failed, and another is to come. */
    public class Retrying internal constructor(metadata: Metadata) : Status(metadata) {
        /** How many attempts failed. */
        public val failed: Int get() = metadata.retryCount ?: 0

        /** How many there are to be, when it is known. */
        public val limit: Int? get() = metadata.maxRetries

        /** When the outbox tries again. */
        public val nextAttemptAt: Instant? get() = metadata.nextAttemptAt
    }

    /**
     * It has failed for good.
     *
     * @property what what has failed.
     */
    public class Failed internal constructor(public val what: Kind, metadata: Metadata) : Status(metadata) {
        /** The error. */
        public val error: String? get() = metadata.error
    }

    /** Two are equal when they are of the same class and tell the same. */
    override fun equals(other: Any?): Boolean =
        this === other || (other is Status && javaClass == other.javaClass && metadata == other.metadata)

    override fun hashCode(): Int = metadata.hashCode()

    override fun toString(): String = "${javaClass.simpleName}(${metadata.json})"

    internal companion object {
        /** By the words that the core has for a row's state and status. */
        fun of(state: String, metadata: Metadata?): Status? {
            val word = metadata?.word ?: return null
            return when {
                state == "failed" -> Failed(kindOf(word), metadata)
                state == "processed" -> Processed(metadata)
                else -> when (word) {
                    "creating" -> Creating(metadata)
                    "updating" -> Updating(metadata)
                    "processing" -> Processing(metadata)
                    "deleting" -> Deleting(metadata)
                    "retrying" -> Retrying(metadata)
                    // A word of a newer core goes on as something that takes time.
                    else -> Processing(metadata)
                }
            }
        }

        private fun kindOf(word: String): Kind =
            when (word) {
                "creating" -> Kind.CREATE
                "updating" -> Kind.UPDATE
                "deleting" -> Kind.DELETE
                else -> Kind.PROCESS
            }
    }
}

/**
 * What is told of a resource's operation: the fields of `CacheMetadata`, and whatever fields of the
 * program's own there are.
 *
 * @property json all of them, by their names in JSON.
 */
public data class Metadata(public val json: JsonObject) {
    internal val word: String? get() = text("status")

    /** When the operation began. */
    public val startedAt: Instant? get() = time("startedAt")

    /** When it was acknowledged, completed or failed. */
    public val completedAt: Instant? get() = time("completedAt")

    /** When the resource was marked as being deleted. */
    public val deletedAt: Instant? get() = time("deletedAt")

    /** How far it is, 0 to 100. */
    public val progress: Double? get() = primitive("progress")?.doubleOrNull

    /** The step of a longer work, such as `verifying`. */
    public val stage: String? get() = text("stage")

    /** When it will be done, if its stages take as long as they are said to. */
    public val expectedAt: Instant? get() = time("expectedAt")

    /** Whether nothing was heard of it for as long as its plan says. */
    public val isStalled: Boolean get() = primitive("stalled")?.booleanOrNull ?: false

    /** The last error. */
    public val error: String? get() = text("error")

    /** How many attempts failed. */
    public val retryCount: Int? get() = primitive("retryCount")?.intOrNull

    /** How many the caller means to make. */
    public val maxRetries: Int? get() = primitive("maxRetries")?.intOrNull

    /** What to tell the user. */
    public val message: String? get() = text("message")

    /** When the outbox tries again. */
    public val nextAttemptAt: Instant? get() = time("nextAttemptAt")

    /** Any field, by its name in JSON. */
    public operator fun get(name: String): JsonElement? = json[name]

    private fun primitive(name: String) = json[name] as? JsonPrimitive

    private fun text(name: String) = primitive(name)?.contentOrNull

    private fun time(name: String) = text(name)?.let(Instant::parseOrNull)
}

package dev.resourcecache

/**
 * The words of badges, in the user's language. What is left out stays English.
 *
 * @property deleting being deleted.
 * @property creating being created.
 * @property updating being updated.
 * @property processing something else goes on, and says nothing of itself.
 * @property retrying the next attempt is to come, and nothing says more.
 * @property processed completed, without a message.
 * @property failed failed, without an error's text.
 */
public data class Labels(
    public val deleting: String? = null,
    public val creating: String? = null,
    public val updating: String? = null,
    public val processing: String? = null,
    public val retrying: String? = null,
    public val processed: String? = null,
    public val failed: String? = null,
)

/** The words of all badges from now on; rows that are shown keep theirs until they change. */
public suspend fun <T : Any> ResourceCache<T>.setLabels(labels: Labels) {
    val native = labels.run {
        dev.resourcecache.ffi.Labels(deleting, creating, updating, processing, retrying, processed, failed)
    }
    asking { setLabels(native) }
}

/** The key under which a collection is kept: a prefix such as `dns-zones`, and what it is of. */
public fun cacheKey(prefix: String, vararg arguments: String): String =
    dev.resourcecache.ffi.cacheKey(prefix, arguments.toList())

/** The lifecycle of an operation as a Mermaid diagram. */
public fun lifecycleDiagram(): String = dev.resourcecache.ffi.lifecycleDiagram()

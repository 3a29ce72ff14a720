package dev.resourcecache

/** What an operation does to its resource. */
public enum class Kind {
    /** Makes the resource. */
    CREATE,

    /** Changes some of its fields. */
    UPDATE,

    /** Anything that takes time and changes no field that this client knows. */
    PROCESS,

    /** Removes it. */
    DELETE;

    internal fun native() = dev.resourcecache.ffi.Kind.valueOf(name)

    internal companion object {
        /** By the core's word, such as `create`. */
        fun of(word: String): Kind = valueOf(word.uppercase(java.util.Locale.ROOT))
    }
}

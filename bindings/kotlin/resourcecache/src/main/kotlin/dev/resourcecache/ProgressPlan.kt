package dev.resourcecache

import kotlin.time.Duration

/**
 * How an operation of one kind goes on, from stage to stage, and when it is done.
 *
 * @property stages the stages, in order. An operation begins in the first.
 * @property rules what the server's copies say; the first rule that has their value counts.
 * @property stalledAfter after how long without news it is marked as stalled; none for never.
 */
public data class ProgressPlan(
    public val stages: List<Stage>,
    public val rules: List<ProgressRule> = emptyList(),
    public val stalledAfter: Duration? = null,
) {
    internal fun native() = dev.resourcecache.ffi.ProgressPlan(
        stages.map { it.native() },
        rules.map { dev.resourcecache.ffi.ProgressRule(it.at, it.stages) },
        stalledAfter.ms("stalledAfter"),
    )
}

/**
 * One stage of an operation.
 *
 * @property name its name, as metadata has it.
 * @property weight its share of the whole, beside those of the other stages; 0 for one that ends.
 * @property expected how long it takes; none when nobody knows.
 * @property message what to tell the user when it begins.
 * @property end what it ends.
 */
public data class Stage(
    public val name: String,
    public val weight: Int = 1,
    public val expected: Duration? = null,
    public val message: String? = null,
    public val end: StageEnd? = null,
) {
    internal fun native() = dev.resourcecache.ffi.Stage(
        name, weight.counted("weight").toUInt(), expected.ms("expected"), message, end?.native(),
    )
}

/** How a stage ends its operation. */
public sealed class StageEnd {
    internal abstract fun native(): dev.resourcecache.ffi.StageEnd

    /** It is complete. */
    public data object Complete : StageEnd() {
        override fun native() = dev.resourcecache.ffi.StageEnd.Complete
    }

    /**
     * It has failed.
     *
     * @property errorAt where the server's copy says why, as a JSON pointer; else the stage's message
     *   is the error.
     */
    public data class Fail(public val errorAt: String? = null) : StageEnd() {
        override fun native() = dev.resourcecache.ffi.StageEnd.Fail(errorAt)
    }
}

/**
 * Which stage a value in the server's copy means.
 *
 * @property at where the value stands: a JSON pointer.
 * @property stages the stage by the value. Other values say nothing.
 */
public data class ProgressRule(public val at: String, public val stages: Map<String, String>)

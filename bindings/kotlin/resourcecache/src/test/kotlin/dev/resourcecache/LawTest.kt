package dev.resourcecache

import io.kotest.common.ExperimentalKotest
import io.kotest.property.Arb
import io.kotest.property.PropTestConfig
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.bind
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.checkAll
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest

/**
 * What a user of Kotlin does with verbs, against a model that knows nothing of lifecycles: a list of
 * the server's, and the wishes that are laid over it, in the order of their beginnings. All of it
 * happens within the guards, so that the answer of a list that lags decides nothing but what it shows.
 */
@OptIn(ExperimentalKotest::class, ExperimentalCoroutinesApi::class)
class LawTest {
    private enum class Act { DELETE, EDIT, CREATE, RETURN, THROW, CANCEL, LIST }

    private class Wish(val act: Act, val id: String, val ttl: Int?, val gate: CompletableDeferred<Unit>, val job: Job) {
        var isAccepted = false
    }

    /** The server's list as it was merged last, and what is laid over it. */
    private class Model {
        var base = listOf("a", "b", "c").map { Zone(it) }
        val wishes = ArrayList<Wish>()

        fun shown(): List<Zone> {
            val shown = ArrayList(base)
            for (wish in wishes) {
                when (wish.act) {
                    Act.CREATE -> shown += Zone(wish.id, ttl = wish.ttl!!)
                    Act.EDIT -> if (wish.ttl != null) {
                        shown.replaceAll { if (it.id == wish.id) it.copy(ttl = wish.ttl) else it }
                    }
                    else -> {}
                }
            }
            return shown.filter { zone -> wishes.none { it.act == Act.DELETE && it.id == zone.id } }
        }

        fun isBeingDeleted(id: String) = wishes.any { it.act == Act.DELETE && it.id == id }

        fun open() = wishes.filter { !it.isAccepted }
    }

    @Test
    fun `what is shown equals the naive model`() = runBlocking<Unit> {
        val step = Arb.bind(Arb.element(Act.entries), Arb.int(0..2), Arb.int(1..9)) { act, which, ttl -> Triple(act, which, ttl) }
        var shownChanges = 0
        checkAll(PropTestConfig(iterations = 150), Arb.list(step, 1..25)) { steps ->
            runTest {
                val cache = zoneCache()
                val model = Model()
                cache.merge(list(*model.base.toTypedArray()))
                var made = 0
                for ((act, which, ttl) in steps) {
                    val id = "abc"[which].toString()
                    when (act) {
                        Act.DELETE, Act.EDIT -> if (!model.isBeingDeleted(id)) {
                            val gate = CompletableDeferred<Unit>()
                            // An edit to what is shown already is none: it lays nothing over.
                            val new = ttl.takeIf { model.shown().single { it.id == id }.ttl != ttl }
                            val job = launch { quiet { verb(cache, act, id, ttl, gate) } }
                            model.wishes += Wish(act, id, new, gate, job)
                        }
                        Act.CREATE -> {
                            val new = "n${made++}"
                            val gate = CompletableDeferred<Unit>()
                            val job = launch { quiet { verb(cache, act, new, ttl, gate) } }
                            model.wishes += Wish(act, new, ttl, gate, job)
                        }
                        Act.RETURN, Act.THROW, Act.CANCEL -> model.open().getOrNull(which)?.let { wish ->
                            when (act) {
                                Act.RETURN -> {
                                    wish.gate.complete(Unit)
                                    wish.isAccepted = true
                                }
                                Act.THROW -> wish.gate.completeExceptionally(IllegalStateException("no"))
                                else -> wish.job.cancelAndJoin()
                            }
                            if (act != Act.RETURN) model.wishes -= wish
                        }
                        // An answer of before all of it: nothing that was asked for shows in it.
                        Act.LIST -> cache.merge(list(*model.base.toTypedArray()))
                    }
                    runCurrent()
                    // A creation that failed is shown with its error for a while; the model has none of it.
                    val failed = cache.rows.value.filter { it.status is Status.Failed && it.id.startsWith("n") }.map { it.id }
                    assertEquals(model.shown(), cache.rows.value.filter { it.id !in failed }.map { it.value }, "$steps")
                    if (model.wishes.isNotEmpty()) shownChanges += 1
                }
                model.open().forEach { it.job.cancelAndJoin() }
            }
        }
        check(shownChanges > 500) { "only $shownChanges steps had a wish to show" }
    }

    private suspend fun verb(cache: ResourceCache<Zone>, act: Act, id: String, ttl: Int, gate: CompletableDeferred<Unit>) {
        when (act) {
            Act.DELETE -> cache.deleting(id) { gate.await() }
            Act.EDIT -> cache.updating(id, { it.copy(ttl = ttl) }) { gate.await(); null }
            else -> cache.creating(Zone(id, ttl = ttl)) { gate.await(); null }
        }
    }

    private suspend fun quiet(act: suspend () -> Unit) {
        try {
            act()
        } catch (_: IllegalStateException) {
            // The refusal that the history has chosen. Cancellation is one, too, and ends the coroutine.
        }
    }
}

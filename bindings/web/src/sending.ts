/** Sends what is queued: takes attempts out of the outbox, makes the calls, and hands in what came of them. */

import type { ResourceCache } from "./cache.js";
import { BadInputError, BrokenError, NotFoundError, ResponseError, TransitionError } from "./errors.js";
import { hosted, type Hosted, type Target } from "./host.js";
import { onNetwork, seemsOnline } from "./network.js";
import { isResponse, refusedBy } from "./responses.js";
import { textOf } from "./scopes.js";
import type { Attempt, Retry } from "./types.js";

/** How attempts are sent. */
export interface SendOptions<T> {
  /** Ends it; calls that are under way are aborted, and their attempts are sent again later under the same key. */
  readonly signal?: AbortSignal;
  /** Told of each call that failed; without an attempt, of what could not be kept. */
  readonly onFailure?: (problem: unknown, attempt: Attempt<T> | undefined) => void;
}

/** What a call may answer: a response, the resource as it now is, or nothing. */
export type Sent<T> = Response | T | null | undefined | void;

/**
 * Sends what `queue` and `perform` leave to the outbox, for as long as the cache lives or until the signal aborts.
 * Send `attempt.key` along (`Idempotency-Key`): what was sent before a failure or a restart is sent again under it.
 *
 * The call answers a `Response`, the resource, or nothing. A status of success acknowledges the operation, with the
 * body if it is a JSON object; so does 404 or 410 for a deletion. Another status, also that of a `ResponseError`,
 * fails it as the config's retry policy says, with `Retry-After`; anything else that is thrown counts as a broken
 * network, after which another attempt follows. How many run at once is the config's `maxUnderWay`.
 */
export function send<T extends object>(
  target: Target<T>,
  call: (attempt: Attempt<T>, signal: AbortSignal) => Promise<Sent<T>>,
  options: SendOptions<T> = {},
): Promise<void> {
  return new Sender(hosted(target), call, options).run();
}

class Sender<T extends object> {
  readonly #host: Hosted<T>;
  readonly #call: (attempt: Attempt<T>, signal: AbortSignal) => Promise<Sent<T>>;
  readonly #options: SendOptions<T>;
  readonly #stop = new AbortController();
  /** The newest call of each operation. */
  readonly #underWay = new Map<number, AbortController>();
  #forget: (() => void) | undefined;
  #taking = false;
  #again = false;
  #finish: (problem?: unknown) => void = () => {};

  constructor(
    host: Hosted<T>,
    call: (attempt: Attempt<T>, signal: AbortSignal) => Promise<Sent<T>>,
    options: SendOptions<T>,
  ) {
    this.#host = host;
    this.#call = call;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { cache } = this.#host;
    const { signal } = this.#options;
    if (signal?.aborted || cache.isClosed) return;
    const end = () => this.#finish();
    const ended = new Promise<void>((resolve, reject) => {
      this.#finish = (problem) => (problem === undefined ? resolve() : reject(problem));
    });
    signal?.addEventListener("abort", end, { once: true });
    const leave = [
      cache.onClose(end),
      cache.afterCalls(() => this.#take()),
      onNetwork((online) => void this.#within((cache) => cache.setOnline(online))),
      () => signal?.removeEventListener("abort", end),
    ];
    try {
      if (!seemsOnline()) await this.#within((cache) => cache.setOnline(false));
      this.#take();
      await ended;
    } finally {
      for (const each of leave) each();
      this.#forget?.();
      this.#stop.abort(signal?.reason ?? new DOMException("the cache was closed", "AbortError"));
      for (const call of this.#underWay.values()) call.abort(this.#stop.signal.reason);
    }
  }

  /** Takes every attempt that may be sent by now, and sends it; once more if something happens meanwhile. */
  #take(): void {
    if (this.#taking) {
      this.#again = true;
      return;
    }
    this.#taking = true;
    queueMicrotask(() => void this.#takeAll());
  }

  async #takeAll(): Promise<void> {
    const { cache } = this.#host;
    do {
      this.#again = false;
      if (!this.#isOver && cache.queued > 0) await this.#within((cache) => this.#poll(cache), this.#sendAll);
    } while (this.#again && !this.#isOver);
    this.#taking = false;
    this.#wakeLater();
  }

  /** The attempts that may be sent by now. What the polls themselves change is no reason to poll again. */
  #poll(cache: ResourceCache<T>): Attempt<T>[] {
    const before = this.#again;
    const taken: Attempt<T>[] = [];
    for (let next = cache.pollAttempt(); next !== undefined; next = cache.pollAttempt()) taken.push(next);
    this.#again = before;
    return taken;
  }

  readonly #sendAll = (taken: readonly Attempt<T>[]): void => {
    for (const attempt of taken) void this.#send(attempt);
  };

  async #send(attempt: Attempt<T>): Promise<void> {
    // One that was handed out anew was not answered in time: its answer is welcome, its connection is not.
    this.#underWay.get(attempt.operation)?.abort(new DOMException("it took too long", "TimeoutError"));
    const own = new AbortController();
    this.#underWay.set(attempt.operation, own);
    try {
      const answer = await this.#call(attempt, own.signal);
      await this.#accepted(attempt, await resourceOf(answer, attempt));
    } catch (problem) {
      // What was aborted is not answered: it counts as lost after a while, and is sent again.
      if (!own.signal.aborted) await this.#failed(attempt, problem);
    } finally {
      if (this.#underWay.get(attempt.operation) === own) this.#underWay.delete(attempt.operation);
    }
  }

  async #accepted({ operation }: Attempt<T>, resource: T | undefined): Promise<void> {
    await this.#settle((cache) => {
      try {
        cache.acknowledge(operation, resource);
      } catch (problem) {
        // Not the resource: it is accepted all the same.
        if (!(problem instanceof BadInputError) || resource === undefined) throw problem;
        cache.acknowledge(operation);
      }
    });
  }

  async #failed(attempt: Attempt<T>, problem: unknown): Promise<void> {
    await this.#settle((cache) => cache.fail(attempt.operation, textOf(problem), retryOf(problem)));
    this.#options.onFailure?.(problem, attempt);
  }

  /** Hands in what came of an attempt. An operation that has settled meanwhile needs nothing more. */
  #settle(act: (cache: ResourceCache<T>) => void): Promise<void> {
    return this.#within((cache) => {
      try {
        act(cache);
      } catch (problem) {
        if (!(problem instanceof NotFoundError || problem instanceof TransitionError)) throw problem;
      }
    });
  }

  /** Changes something, if it is not over. What cannot be kept is told; what the core cannot do ends it. */
  async #within<R>(act: (cache: ResourceCache<T>) => R, then?: (result: R) => void): Promise<void> {
    if (this.#isOver) return;
    try {
      const result = await this.#host.within(act);
      then?.(result);
    } catch (problem) {
      if (this.#isOver) return;
      if (problem instanceof BrokenError) this.#finish(problem);
      else this.#options.onFailure?.(problem, undefined);
    }
  }

  #wakeLater(): void {
    this.#forget?.();
    this.#forget = undefined;
    const { cache } = this.#host;
    if (this.#isOver) return;
    const at = cache.queued > 0 ? cache.nextTimeout : undefined;
    if (at !== undefined) this.#forget = cache.clock.wake(at, () => this.#take());
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted || this.#host.cache.isClosed;
  }
}

/** What of an answer is the resource; throws when it is a refusal. */
async function resourceOf<T extends object>(answer: Sent<T>, attempt: Attempt<T>): Promise<T | undefined> {
  if (!isResponse(answer)) return answer ?? undefined;
  const gone = attempt.kind === "delete" && (answer.status === 404 || answer.status === 410);
  if (!answer.ok && !gone) throw refusedBy(answer);
  // Of other statuses the body is something else: of 202 it is about the work (RFC 9110, 15.3.3).
  const told = answer.status === 200 || answer.status === 201;
  if (!told || attempt.kind === "delete") return undefined;
  try {
    const body = (await answer.json()) as T | null;
    return typeof body === "object" && !Array.isArray(body) ? (body ?? undefined) : undefined;
  } catch {
    return undefined; // It is accepted, by its status.
  }
}

function retryOf(problem: unknown): Retry {
  if (!(problem instanceof ResponseError)) return true;
  const { status, retryAfter } = problem;
  return retryAfter === undefined ? { status } : { status, retryAfter };
}

/** A call to the server as the scope of an operation: begun before it, acknowledged or failed after it. */

import type { Hosted } from "./host.js";
import type { Changes, Patch } from "./types.js";
import { isResponse, refusedBy } from "./responses.js";
import type { Verbs } from "./verbs.js";

/** How a scope runs. */
export interface ScopeOptions {
  /** When it aborts, the operation is cancelled, and the scope rejects with its reason. */
  readonly signal?: AbortSignal;
  /** How many milliseconds the operation guards at least; the config's otherwise. */
  readonly minTtl?: number;
  /** How many further attempts follow when the call rejects, after the config's backoff. Default none. */
  readonly retries?: number;
}

/** What the call of a scope gets. */
export interface Scope {
  readonly operation: number;
  readonly id: string;
  /** Aborts when the caller's does, or when the cache is closed: pass it to `fetch`. */
  readonly signal: AbortSignal;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
}

/** The same, of longer work. */
export interface ProcessScope extends Scope {
  /** Tells the user how far it is: progress 0 to 100. */
  report(progress: { readonly progress?: number; readonly stage?: string; readonly message?: string }): void;
}

interface Work<T extends object, R> {
  /** The resource's id, once it was begun. */
  readonly id: (begun: Changes<T>) => string;
  readonly begin: (cache: Verbs<T>) => Changes<T>;
  readonly call: (scope: ProcessScope) => Promise<R>;
  /** What the server answered, for its acknowledgement. */
  readonly answer: (result: R) => T | undefined;
}

/** Hides a resource, calls, and shows it again if that fails. */
export function deleting<T extends object, R>(
  host: Hosted<T>,
  id: string,
  call: (scope: Scope) => Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  const begin = (cache: Verbs<T>) => cache.markAsDeleting(id, options.minTtl);
  return run(host, { id: () => id, begin, call, answer: () => undefined }, options);
}

/** Shows a resource with a patch, calls, and takes the patch off if that fails. */
export function updating<T extends object, R extends T | void>(
  host: Hosted<T>,
  [id, patch]: readonly [string, Patch<T>],
  call: (scope: Scope) => Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  const begin = (cache: Verbs<T>) => cache.markAsUpdating(id, patch, options.minTtl);
  return run(host, { id: () => id, begin, call, answer: resourceOf<T> }, options);
}

/** Shows a new resource, calls, and replaces it by what the call answers. */
export function creating<T extends object, R extends T | void>(
  host: Hosted<T>,
  resource: T,
  call: (scope: Scope) => Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  const begin = (cache: Verbs<T>) => cache.addAsCreating(resource, options.minTtl);
  const id = (begun: Changes<T>) => begun.upserted.find(({ row }) => row.state === "creating")?.row.id ?? "";
  return run(host, { id, begin, call, answer: resourceOf<T> }, options);
}

/** Marks a resource as being worked on while a call runs. */
export function processing<T extends object, R>(
  host: Hosted<T>,
  id: string,
  call: (scope: ProcessScope) => Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  const begin = (cache: Verbs<T>) => cache.markAsProcessing(id, "processing");
  return run(host, { id: () => id, begin, call, answer: () => undefined }, options);
}

/** What of a call's result is the resource. */
function resourceOf<T>(result: T | void): T | undefined {
  return typeof result === "object" && result !== null ? result : undefined;
}

/** Runs a call as the scope of an operation. */
async function run<T extends object, R>(
  { cache, within }: Hosted<T>,
  work: Work<T, R>,
  options: ScopeOptions,
): Promise<R> {
  const { signal, retries = 0 } = options;
  signal?.throwIfAborted();
  const beginning = within((cache) => {
    const begun = work.begin(cache);
    if (retries > 0) cache.updateMetadata(work.id(begun), { maxRetries: retries });
    return begun;
  });
  // Where it is done at once, so is the call.
  const begun = beginning instanceof Promise ? await beginning : beginning;
  const [operation] = begun.operations;
  const id = work.id(begun);
  if (operation === undefined) throw new Error(`${id}: nothing was begun`);
  const stop = new AbortController();
  const ended = endedBy(stop, signal, cache);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const scope: ProcessScope = {
        operation,
        id,
        signal: stop.signal,
        attempt,
        report: (progress) => {
          const told = within((cache) => cache.updateMetadata(id, progress));
          // It is of use only while it lasts.
          if (told instanceof Promise) told.catch(() => {});
        },
      };
      try {
        const result = await Promise.race([work.call(scope), ended.promise]);
        if (isResponse(result) && !result.ok) throw refusedBy(result);
        await within((cache) => cache.acknowledge(operation, work.answer(result)));
        return result;
      } catch (problem) {
        if (stop.signal.aborted) throw problem;
        const again = attempt <= retries;
        await within((cache) => cache.fail(operation, textOf(problem), again));
        if (!again) throw problem;
        await Promise.race([nextAttempt(cache, operation), ended.promise]);
        await within((cache) => cache.attempt(operation));
      }
    }
  } catch (problem) {
    if (stop.signal.aborted && !cache.isClosed) await within((cache) => cache.cancel(operation));
    throw problem;
  } finally {
    ended.release();
  }
}

/** A promise that rejects when the signal aborts or the cache is closed. */
function endedBy<T extends object>(
  stop: AbortController,
  signal: AbortSignal | undefined,
  cache: Verbs<T>,
): { readonly promise: Promise<never>; readonly release: () => void } {
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<never>((_, no) => (reject = no));
  // Somebody may wait for nothing of it any more.
  promise.catch(() => {});
  const end = (reason: unknown) => {
    stop.abort(reason);
    reject(reason);
  };
  const aborted = () => end(signal?.reason);
  signal?.addEventListener("abort", aborted, { once: true });
  const closed = cache.onClose(() => end(new DOMException("the cache was closed", "AbortError")));
  const release = () => {
    signal?.removeEventListener("abort", aborted);
    closed();
  };
  return { promise, release };
}

/** Waits until the backoff of an operation is over. */
function nextAttempt<T extends object>(cache: Verbs<T>, operation: number): Promise<void> {
  const backoff = cache.deadlines().find((deadline) => deadline.operation === operation);
  if (backoff === undefined) return Promise.resolve();
  return new Promise((resolve) => cache.clock.wake(backoff.at, resolve));
}

/** What to tell the user of something that was thrown. */
export function textOf(problem: unknown): string {
  const text = problem instanceof Error ? problem.message : String(problem);
  return text === "" ? "failed" : text;
}

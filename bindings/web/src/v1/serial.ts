/** One at a time: calls on one key of one storage, in this process and across tabs. */

const queues = new WeakMap<object, Map<string, Promise<unknown>>>();

/** A lock of the caller's own: runs `work` while nobody else holds `key`. */
export type Lock = <R>(key: string, work: () => Promise<R>) => Promise<R>;

/** Runs `work` when all that came before it on this key is done. */
export async function serially<R>(
  storage: object,
  key: string,
  lock: Lock | undefined,
  work: () => Promise<R>,
): Promise<R> {
  const queue = queues.get(storage) ?? new Map<string, Promise<unknown>>();
  queues.set(storage, queue);
  const before = queue.get(key) ?? Promise.resolve();
  const run = before.then(() => (lock ?? webLock)(key, work));
  // What failed stops nobody behind it.
  const done = run.catch(() => {});
  queue.set(key, done);
  try {
    return await run;
  } finally {
    if (queue.get(key) === done) queue.delete(key);
  }
}

/** Web Locks, which all tabs and workers of an origin share. */
function webLock<R>(key: string, work: () => Promise<R>): Promise<R> {
  if (!hasWebLocks()) return work();
  // The lock is held for as long as the promise of the callback is open.
  return navigator.locks.request(`resourcecache:${key}`, work) as Promise<R>;
}

function hasWebLocks(): boolean {
  return typeof navigator === "object" && navigator.locks !== undefined;
}

/** Whether those who share this storage are known to take turns: in a browser, whose tabs share Web Locks. */
export function takesTurns(): boolean {
  // Newer versions of Node have `navigator.locks` too, but of one process alone.
  const inNode = typeof process === "object" && process.versions?.node !== undefined;
  return hasWebLocks() && !inNode;
}

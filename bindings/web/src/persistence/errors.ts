/** Why something could not be kept. */

import { BadInputError, ResourceCacheError } from "../errors.js";

/** What went wrong. Only `busy`, `full` and `unavailable` may pass by themselves. */
export type StoreProblem =
  /** There is no room: free some, or ask for persistent storage. Saving goes on trying. */
  | "full"
  /** There is no IndexedDB, or the browser does not let it be used (private mode, blocked site data). */
  | "unavailable"
  /** Another tab or process has saved since: what was changed here since then is not saved. */
  | "conflict"
  /** A newer version of the library, or other settings, keep it now: load the page anew. */
  | "newer"
  /** What is stored cannot be read. It is left as it is. */
  | "damaged"
  /** It was deleted meanwhile, or the site's data were. */
  | "gone"
  /** It was closed. */
  | "closed";

/** Something could not be read or kept. */
export class StoreError extends ResourceCacheError {
  readonly problem: StoreProblem;
  /** The name of the cache that it is about. */
  readonly cache: string;
  /** What could not be taken over, as `save` writes it, where there is such a thing. */
  readonly state: string | undefined;

  constructor(
    problem: StoreProblem,
    cache: string,
    text: string,
    more: { cause?: unknown; state?: string } = {},
  ) {
    super("store", `${cache}: ${text}`);
    this.problem = problem;
    this.cache = cache;
    this.state = more.state;
    if (more.cause !== undefined) this.cause = more.cause;
  }
}

/** What to do about each of IndexedDB's errors (Indexed Database API 3.0, 3). */
export function storeError(cache: string, thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const { name = "", message = String(thrown) } = (thrown ?? {}) as { name?: string; message?: string };
  const cause = thrown;
  if (thrown instanceof BadInputError) {
    // The core's records say by themselves that they are newer.
    const problem = message.includes("newer version") ? "newer" : "damaged";
    return new StoreError(problem, cache, `what is stored cannot be read: ${message}`, { cause });
  }
  switch (name) {
    case "QuotaExceededError":
      return new StoreError("full", cache, "there is no room left; free some of the site's storage", {
        cause,
      });
    case "VersionError":
      return new StoreError("newer", cache, "a newer version keeps it now; load the page anew", { cause });
    case "DataError":
    case "DataCloneError":
    case "NotReadableError":
      return new StoreError("damaged", cache, `the browser cannot read or write it: ${message}`, { cause });
    default:
      return new StoreError("unavailable", cache, `IndexedDB cannot be used: ${message || name}`, { cause });
  }
}

/**
 * What is kept in the storage: under the key the list, as version 1.0 keeps it, and beside it the core's state, which
 * is what counts. The state names its last commits, so that a writer sees whether its own is among them, and digests of
 * the last lists, so that one which version 1.0 wrote meanwhile is told from one that is only a moment behind.
 */

import type { KeyValueStorage } from "./types.js";

/** The end of the name under which the state is kept. It is beside the key, since drivers for files allow none below. */
const BESIDE = ".resourcecache";
const VERSION = 1;
/** How many commits a state names. More than can be made between a writer's two looks. */
const COMMITS = 64;
const LISTS = 8;
/** How often, and after how many milliseconds, a list that is not ours is looked at again. */
const LOOKS = 3;
const LOOK_AGAIN = 15;
/** How many milliseconds after the first commit its list is there at the latest. */
const FIRST_LIST = 2_000;

interface State {
  readonly version: number;
  readonly commits: readonly string[];
  readonly lists: readonly string[];
  /** The list in place of which the first of these was written, and until when it may still be there. */
  readonly before?: { readonly digest: string; readonly until: number };
  readonly saved: string;
}

/** What was found. */
export interface Found {
  /** The newest commit; undefined when there was no state. */
  readonly head: string | undefined;
  /** The core's state, unless another list counts. */
  readonly saved: string | undefined;
  /** A list of version 1.0 that counts instead; undefined for none. */
  readonly list: readonly unknown[] | undefined;
  /** @internal */
  readonly commits: readonly string[];
  /** @internal */
  readonly lists: readonly string[];
  /** @internal */
  readonly digest: string;
}

/** One collection in a storage. */
export class CollectionStore {
  readonly #storage: KeyValueStorage;
  readonly #key: string;
  readonly #settle: number;

  /** `settle`: for how many milliseconds a commit is waited on, before it counts as not overwritten. */
  constructor(storage: KeyValueStorage, key: string, settle: number) {
    this.#storage = storage;
    this.#key = key;
    this.#settle = settle;
  }

  /** What is there. The list is read first, since it is written last: it is never newer than the state. */
  async load(): Promise<Found> {
    for (let look = 1; ; look += 1) {
      const value = await this.#storage.getItem(this.#key);
      const state = await this.#state();
      const list = Array.isArray(value) ? value : undefined;
      const digest = digestOf(list);
      const head = state?.commits.at(-1);
      const commits = state?.commits ?? [];
      if (state !== undefined && isOf(state, digest)) {
        return { head, saved: state.saved, list: undefined, commits, lists: state.lists, digest };
      }
      // Either none of ours was there before, or version 1.0 has written, or somebody has cleared it.
      if (state === undefined || look === LOOKS) {
        return { head, saved: undefined, list, commits, lists: [], digest };
      }
      await pause(LOOK_AGAIN);
    }
  }

  /** Writes what came of what was found; false when somebody else was faster, and all is to be done again. */
  async commit(found: Found, saved: string, list: string): Promise<boolean> {
    const last = await this.#state();
    if (last?.commits.at(-1) !== found.head) return false;
    const commit = newCommit();
    const before = { digest: found.digest, until: Date.now() + FIRST_LIST };
    const state: State = {
      version: VERSION,
      commits: [...found.commits.slice(1 - COMMITS), commit],
      lists: [...found.lists.slice(1 - LISTS), digestOf(JSON.parse(list) as unknown[])],
      ...(found.saved === undefined ? { before } : {}),
      saved,
    };
    await this.#storage.setItem(this.#key + BESIDE, JSON.stringify(state));
    if (this.#settle > 0) await pause(this.#settle);
    const now = await this.#state();
    if (now?.commits.includes(commit) !== true) return false;
    // Whoever came behind writes a newer list.
    if (now.commits.at(-1) === commit) await this.#storage.setItem(this.#key, list);
    return true;
  }

  async #state(): Promise<State | undefined> {
    const value = await this.#storage.getItem(this.#key + BESIDE);
    if (typeof value !== "object" || value === null) return undefined;
    const state = value as State;
    if (state.version !== VERSION) {
      throw new Error(`${this.#key}${BESIDE}: version ${state.version} was written by a newer resourcecache`);
    }
    return state;
  }
}

/** Whether this list was written with that state, or shortly before it. */
function isOf({ lists, before }: State, digest: string): boolean {
  return lists.includes(digest) || (before?.digest === digest && Date.now() <= before.until);
}

/** A promise that waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A list's length as text, and 32 bits of it: FNV-1a over UTF-16 units. */
function digestOf(list: readonly unknown[] | undefined): string {
  if (list === undefined) return "none";
  const text = JSON.stringify(list);
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return `${text.length}:${(hash >>> 0).toString(16)}`;
}

/** A name that no other commit has. */
function newCommit(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join("-");
}

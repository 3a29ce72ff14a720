/** The cache: verbs, scopes around calls to the server, and what follows its changes. */

import { hosted } from "./host.js";
import { init, guarded, loaded } from "./load.js";
import type { Options } from "./options.js";
import { refusedBy } from "./responses.js";
import {
  creating,
  deleting,
  processing,
  updating,
  type ProcessScope,
  type Scope,
  type ScopeOptions,
} from "./scopes.js";
import type { Answer, Changes, Json, Patch } from "./types.js";
import { Verbs, type MergeOptions } from "./verbs.js";

/**
 * One list of resources: what the server last said, and what this client has asked for.
 *
 * ```ts
 * const cache = await ResourceCache.create<Zone>();
 * cache.subscribe(() => draw(cache.getSnapshot()));
 * await cache.fetching(() => fetch("/zones"));
 * await cache.deleting("zone-1", () => api.delete("zone-1")); // hidden from now on
 * await cache.fetching(() => fetch("/zones")); // hidden, also while the server lists it
 * ```
 *
 * Nothing here blocks but `merge`, which takes about a millisecond for 10,000 resources.
 */
export class ResourceCache<T extends object = Record<string, Json>> extends Verbs<T> {
  /** Once the WebAssembly is loaded; before it throws `NotReadyError`. See `create`, and `restore` for `saved`. */
  constructor(options?: Options, saved?: string) {
    super(options, saved);
  }

  /** A new cache, as soon as the WebAssembly is loaded. */
  static async create<T extends object = Record<string, Json>>(options?: Options): Promise<ResourceCache<T>> {
    await init();
    return new ResourceCache<T>(options);
  }

  /** A cache as `save` wrote it; what has become due since is done. Give the same settings: they are not saved. */
  static async restore<T extends object = Record<string, Json>>(
    saved: string,
    options?: Options,
  ): Promise<ResourceCache<T>> {
    await init();
    return new ResourceCache<T>(options, saved);
  }

  /**
   * Calls the server for its list, and takes what it answers. Answers that come out of order do no harm. An HTTP status
   * that is none of success rejects with `ResponseError`, and changes nothing.
   */
  async fetching(
    list: () => Promise<Response | Answer<T>>,
    options: Omit<MergeOptions, "token"> = {},
  ): Promise<Changes<T>> {
    const token = this.beginFetch();
    const answer = await list();
    return this.merge(await bodyOf(answer), { ...options, token });
  }

  /** Hides a resource, calls the server to delete it, and shows it again if that fails; the failure is rethrown. */
  deleting<R>(id: string, call: (scope: Scope) => Promise<R>, options?: ScopeOptions): Promise<R> {
    return deleting(hosted<T>(this), id, call, options);
  }

  /**
   * Shows a resource with a patch, calls the server to change it, and takes the patch off if that fails. When the call
   * answers the resource, it is shown as the server has it.
   */
  updating<R extends T | void>(
    id: string,
    patch: Patch<T>,
    call: (scope: Scope) => Promise<R>,
    options?: ScopeOptions,
  ): Promise<R> {
    return updating(hosted<T>(this), [id, patch], call, options);
  }

  /** Shows a new resource, calls the server to create it, and replaces it by what the call answers: in the same row. */
  creating<R extends T | void>(
    resource: T,
    call: (scope: Scope) => Promise<R>,
    options?: ScopeOptions,
  ): Promise<R> {
    return creating(hosted<T>(this), resource, call, options);
  }

  /** Marks a resource as being worked on while a call runs, which may tell how far it is. */
  processing<R>(id: string, call: (scope: ProcessScope) => Promise<R>, options?: ScopeOptions): Promise<R> {
    return processing(hosted<T>(this), id, call, options);
  }

  /** What changes from now on, call by call; it ends when the cache is closed. */
  changes(): AsyncIterableIterator<Changes<T>> {
    const waiting: Changes<T>[] = [];
    let wake: (() => void) | undefined;
    let ended = this.isClosed;
    const rouse = () => {
      wake?.();
      wake = undefined;
    };
    const unfollow = this.onChanges((changes) => {
      waiting.push(changes);
      rouse();
    });
    const end = () => {
      ended = true;
      unfollow();
      unclose();
      rouse();
    };
    const unclose = this.onClose(end);
    return {
      async next() {
        while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
        const value = waiting.shift();
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
      return() {
        waiting.length = 0;
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Whether every accepted call is written down from now on, for `takeJournal`. */
  keepJournal(keep: boolean): void {
    this.ask((raw) => raw.keep_journal(keep));
  }

  /** What was written down since the last time: one JSON text a line, the time and the event. */
  takeJournal(): string {
    return this.ask((raw) => raw.take_journal());
  }

  /** Applies the lines of a journal, each at its own time. Those before one that is refused stay applied. */
  replay(journal: string): void {
    this.mayChange();
    try {
      this.ask((raw) => raw.replay(journal));
    } finally {
      this.retake();
    }
  }

  /** Takes the whole list anew, and tells so. */
  protected retake(): void {
    const before = this.list.rows;
    this.takeAll();
    const kept = new Set(this.list.rows.map((row) => row.key));
    const removed = before.filter((row) => !kept.has(row.key)).map(({ key, id }) => ({ key, id }));
    const upserted = this.list.rows.map((row, place) => ({
      row,
      after: this.list.rows[place - 1]?.key ?? null,
    }));
    const { revision } = this;
    this.told({
      revision,
      upserted,
      removed,
      operations: [],
      outcomes: [],
      warnings: [],
      conflicts: [],
    });
  }
}

async function bodyOf<T>(answer: Response | Answer<T>): Promise<Answer<T>> {
  if (typeof Response === "undefined" || !(answer instanceof Response)) return answer as Answer<T>;
  if (!answer.ok) throw refusedBy(answer);
  return answer.arrayBuffer();
}

/**
 * The key under which a collection is kept: a prefix such as `dns-zones`, and what it is of. No two lists of parts give
 * the same, also when a part has a colon.
 */
export function cacheKey(prefix: string, ...parts: string[]): string {
  const { cache_key } = loaded();
  return guarded(() => cache_key(prefix, parts));
}

/** The lifecycle of an operation as a Mermaid diagram. */
export function lifecycleDiagram(): string {
  const { lifecycle_diagram } = loaded();
  return guarded(() => lifecycle_diagram());
}

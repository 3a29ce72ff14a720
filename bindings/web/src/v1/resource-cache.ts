/** Version 1.0's class, over the core. */

import { ResourceCache as Core } from "../cache.js";
import { systemClock, type Clock } from "../clock.js";
import { BatchError, BrokenError, ClosedError, ResourceCacheError } from "../errors.js";
import { init } from "../load.js";
import type { Config } from "../options.js";
import type { MetadataPatch, Operation } from "../types.js";
import { AFTER_COMPLETION, AFTER_ERROR, Endings } from "./ending.js";
import { cachedOf, importable, isKept } from "./rows.js";
import { serially, takesTurns, type Lock } from "./serial.js";
import { CollectionStore, pause, type Found } from "./store.js";
import type { CachedResource, CacheMetadata, KeyValueStorage, ResourceCacheConfig } from "./types.js";

/** What version 1.0 had no words for. */
export interface ResourceCacheOptions {
  /** The core's settings. */
  readonly config?: Config;
  readonly clock?: Clock;
  /**
   * Is told of each verb that the lifecycle refuses, such as an edit of what is being deleted. Like one on an unknown
   * resource, it has changed nothing and resolves, as in version 1.0. Default `console.warn`.
   */
  readonly onRefused?: (refusal: ResourceCacheError) => void;
  /** Keeps other processes out while a verb runs. Default Web Locks, where there are any. */
  readonly lock?: Lock;
  /**
   * How many milliseconds a commit is waited on before it counts as not overwritten by another process, where nothing
   * locks. Default 20; 0 in browsers, with a lock, and for storage in memory.
   */
  readonly settle?: number;
}

/** How often a verb is done anew because another process was faster, before it is given up. */
const TRIES = 50;
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 100;

type Stored = Record<string, never>;

/**
 * The `ResourceCache` of version 1.0, without its lost writes: over any unstorage `Storage`, by the same methods.
 *
 * ```ts
 * const cache = new ResourceCache(storage, RESOURCE_CACHE_CONFIG.dnsZones, cacheKey);
 * await cache.markAsDeleting(id);
 * await api.delete(id);
 * const zones = await cache.merge(await api.list());
 * const visible = zones.filter((zone) => zone._meta?.status !== "deleting");
 * ```
 */
export class ResourceCache<T extends object> {
  protected readonly storage: KeyValueStorage;
  protected readonly config: ResourceCacheConfig<T>;
  protected readonly cacheKey: string;
  readonly #options: ResourceCacheOptions;
  readonly #clock: Clock;
  readonly #store: CollectionStore;
  readonly #endings = new Endings();

  /** Loads nothing yet: the methods do. */
  constructor(
    storage: KeyValueStorage,
    config: ResourceCacheConfig<T>,
    cacheKey: string,
    options: ResourceCacheOptions = {},
  ) {
    this.storage = storage;
    this.config = config;
    this.cacheKey = cacheKey;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#store = new CollectionStore(storage, cacheKey, settleOf(storage, cacheKey, options));
  }

  /** Takes the server's list; answers it with what goes on laid over it, hidden resources included. */
  async merge<Fresh extends T>(fresh: readonly Fresh[]): Promise<CachedResource<Fresh>[]> {
    return this.#change((core) => {
      core.merge(fresh as readonly object[] as readonly Stored[]);
      return listOf<Fresh>(core);
    });
  }

  /** Marks a resource as undergoing an operation; also one that no list has shown yet. */
  markAsProcessing(id: string, operation: Operation): Promise<void> {
    return this.#verb((core) => void core.markAsProcessing(id, operation));
  }

  /** Hides a resource that is about to be deleted, for at least so many milliseconds. */
  markAsDeleting(id: string, minTtl = 60_000): Promise<void> {
    return this.#verb((core) => void core.markAsDeleting(id, minTtl));
  }

  /** Marks several resources. */
  batchMarkAsProcessing(resourceIds: readonly string[], operation: Operation): Promise<void> {
    return this.#verb((core) => {
      try {
        core.batchMarkAsProcessing(resourceIds, operation);
      } catch (problem) {
        if (!(problem instanceof BatchError)) throw problem;
        this.#refused(problem);
        for (const id of resourceIds) this.#attempt(() => core.markAsProcessing(id, operation), true);
      }
    });
  }

  /** Shows a new resource before the server has it. */
  addAsCreating<New extends T>(resource: New): Promise<void> {
    return this.#verb((core) => void core.addAsCreating(resource as object as Stored));
  }

  /** The server answered the creation of `tempId` with this resource. */
  replaceCreated<Created extends T>(tempId: string, created: Created): Promise<void> {
    return this.#verb((core) => void core.replaceCreated(tempId, created as object as Stored));
  }

  /** The server answered with some fields of a resource. */
  updateInPlace<Fields extends Partial<T>>(id: string, updatedData: Fields): Promise<void> {
    return this.#verb((core) => void core.updateInPlace(id, updatedData as object as Partial<Stored>));
  }

  /**
   * Changes the metadata fields that are named. An `error` without a status fails what goes on: it is shown for the
   * config's `errorShown`, and so are the server's values.
   */
  updateMetadata(id: string, metadata: Partial<CacheMetadata>): Promise<void> {
    const now = this.#clock.now();
    return this.#verb((core) => {
      const { error, ...rest } = metadata;
      const newest = core.operations(id).at(-1);
      const fails = typeof error === "string" && metadata.status === undefined && newest !== undefined;
      if (fails && newest.state !== "failed") {
        if (newest.state === "retrying") core.attempt(newest.operation);
        core.fail(newest.operation, error);
        if (Object.keys(rest).length > 0) core.updateMetadata(id, rest as MetadataPatch);
        this.#endings.add(id, newest.operation, now + AFTER_ERROR);
        return;
      }
      core.updateMetadata(id, metadata as MetadataPatch);
      const last = core.operations(id).at(-1);
      if (last !== undefined && (metadata.progress === 100 || metadata.completedAt !== undefined)) {
        this.#endings.add(id, last.operation, now + AFTER_COMPLETION);
      }
    });
  }

  /** Ends what goes on with a resource; what the server has answered stays. */
  revert(id: string): Promise<void> {
    const ended = this.#endings.take(id, this.#clock.now());
    return this.#verb((core) => {
      const operations = core.operations(id);
      const meant = operations.filter(({ operation }) => ended === undefined || operation <= ended);
      if (meant.length === operations.length) core.revert(id);
      else for (const { operation } of meant) core.cancel(operation);
    });
  }

  /** The same as `revert`. */
  cancelOperation(id: string): Promise<void> {
    return this.revert(id);
  }

  /** Drops a resource. One that is being deleted stays hidden, also from lists that lag. */
  remove(id: string): Promise<void> {
    return this.#verb((core) => void core.remove(id));
  }

  /** Drops several resources. */
  batchRemove(resourceIds: readonly string[]): Promise<void> {
    return this.#verb((core) => void core.batchRemove(resourceIds));
  }

  /** Gives up what is older than so many minutes. */
  cleanupStaleOperations(ttlMinutes = 5): Promise<void> {
    return this.#verb((core) => void core.cleanupStaleOperations(ttlMinutes * 60_000));
  }

  /** All resources, hidden ones included; null when nothing is cached. */
  async getCachedResources(): Promise<CachedResource<T>[] | null> {
    await init();
    const found = await this.#store.load();
    if (found.saved === undefined && found.list === undefined) return null;
    return this.#with(found, (core) => listOf<T>(core));
  }

  /** Replaces all that is cached by a list as `getCachedResources` answers it. A merge is nearly always better. */
  setCachedResources(resources: readonly CachedResource<T>[]): Promise<void> {
    const list = importable(resources, this.#identifier);
    return this.#change((_, replace) => replace(list));
  }

  /** One resource, hidden or not; null when there is none. */
  async getOne(id: string): Promise<CachedResource<T> | null> {
    return this.#read((core) => {
      const row = core.getOne(id);
      return row !== undefined && isKept(row) ? cachedOf<T>(row) : null;
    });
  }

  /** Whether something goes on with a resource. */
  async isProcessing(id: string): Promise<boolean> {
    const resource = await this.getOne(id);
    return resource?._meta?.status !== undefined;
  }

  /** The resources with this status, hidden ones included. */
  async getByStatus(status: CacheMetadata["status"]): Promise<CachedResource<T>[]> {
    return this.#read((core) =>
      core
        .getByStatus(status)
        .filter(isKept)
        .map((row) => cachedOf<T>(row)),
    );
  }

  get #identifier(): string {
    return String(this.config.identifierField);
  }

  async #read<R>(question: (core: Core<Stored>) => R): Promise<R> {
    await init();
    return this.#with(await this.#store.load(), question);
  }

  /** A change that may be refused. */
  #verb(verb: (core: Core<Stored>) => void): Promise<void> {
    return this.#change((core) => this.#attempt(() => verb(core), false));
  }

  /** Does something; one that is refused is told, and has changed nothing. */
  #attempt(act: () => void, quietly: boolean): void {
    try {
      act();
    } catch (problem) {
      if (!isRefusal(problem)) throw problem;
      if (!quietly) this.#refused(problem);
    }
  }

  #refused(refusal: ResourceCacheError): void {
    const tell = this.#options.onRefused ?? ((told: Error) => console.warn(`resourcecache: ${told.message}`));
    tell(refusal);
  }

  /** Reads, changes and writes; anew when another process was faster. */
  async #change<R>(change: (core: Core<Stored>, replace: (list: object[]) => void) => R): Promise<R> {
    await init();
    return serially(this.storage, this.cacheKey, this.#options.lock, async () => {
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (tries > 0) await pause(Math.random() * Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE));
        const found = await this.#store.load();
        let instead: Found | undefined;
        const replace = (list: object[]) => (instead = { ...found, saved: undefined, list });
        const [result, saved, list] = this.#with(found, (core) => [
          change(core, replace),
          core.save(),
          core.listV1(),
        ]);
        const written = instead === undefined ? { saved, list } : this.#with(instead, savedOf);
        if (await this.#store.commit(found, written.saved, written.list)) return result;
      }
      const problem = `${this.cacheKey}: ${TRIES} writes in a row met those of others; give a lock`;
      throw new ResourceCacheError("contended", problem);
    });
  }

  /** Has the core as it was found, for one call. */
  #with<R>(found: Found, use: (core: Core<Stored>) => R): R {
    const options = {
      config: this.#options.config ?? {},
      schema: { id: `/${this.#identifier.replaceAll("~", "~0").replaceAll("/", "~1")}` },
      clock: this.#clock,
      timers: false,
    };
    const core = new Core<Stored>(options, found.saved);
    try {
      // As restoring a state, importing a list does what has become due since.
      if (found.list !== undefined) core.importV1(importable(found.list, this.#identifier) as Stored[]);
      return use(core);
    } finally {
      core.close();
    }
  }
}

function savedOf(core: Core<Stored>): { readonly saved: string; readonly list: string } {
  return { saved: core.save(), list: core.listV1() };
}

function listOf<T>(core: Core<Stored>): CachedResource<T>[] {
  return core
    .all()
    .filter(isKept)
    .map((row) => cachedOf<T>(row));
}

function isRefusal(problem: unknown): problem is ResourceCacheError {
  return (
    problem instanceof ResourceCacheError &&
    !(problem instanceof BrokenError || problem instanceof ClosedError)
  );
}

/** How long to wait on a commit. */
function settleOf(storage: object, key: string, options: ResourceCacheOptions): number {
  if (options.settle !== undefined) return options.settle;
  const { getMount } = storage as { getMount?: (key: string) => { driver?: { name?: string } } };
  const inMemory = ["memory", "lru-cache"].includes(getMount?.(key).driver?.name ?? "");
  return options.lock !== undefined || takesTurns() || inMemory ? 0 : 20;
}

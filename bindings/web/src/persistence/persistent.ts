/** A cache that is kept in IndexedDB: restored when it is opened, and saved after it was changed. */

import { ResourceCache } from "../cache.js";
import type { Host } from "../host.js";
import { init } from "../load.js";
import { seemsOnline } from "../network.js";
import { randomSeed, type Options } from "../options.js";
import type { Json } from "../types.js";
import {
  asked,
  Database,
  FORMAT,
  headOf,
  recordsAfter,
  recordsUpTo,
  saveName,
  type DatabaseOptions,
  type Durability,
  type Entry,
  type Head,
  type Saved,
  type Stores,
} from "./database.js";
import { StoreError, storeError } from "./errors.js";
import { LastResort, type LastResortStorage, type LastWords } from "./last-resort.js";
import { onLeaving } from "./leaving.js";

/** How a cache is kept. */
export interface PersistentOptions extends Options, DatabaseOptions {
  /** How many milliseconds after a change it is saved, with all that was changed meanwhile. Default 200. */
  readonly delay?: number;
  /** Something to keep beside the state, of the same moment: a watch's position. */
  readonly beside?: () => Json | undefined;
  /** Told of what could not be saved; see `StoreError`. Default `console.error`. */
  readonly onError?: (problem: StoreError) => void;
  /** Where the last words of a page go; null nowhere. Default `localStorage`. */
  readonly lastResort?: LastResortStorage | null;
}

/** How long to wait before trying again what could not be saved, in milliseconds. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;

/** Those after which trying again is of no use. */
const FINAL = new Set(["conflict", "newer", "gone", "damaged", "closed"]);

/** What was found. */
interface Found {
  readonly revision: number;
  readonly seed: number;
  readonly state?: string;
  /** Events since the state. */
  readonly lines: string;
  readonly beside?: Json;
  /** Whether it is from the last words, and not in IndexedDB yet. */
  readonly unsaved: boolean;
}

/**
 * Opens a cache under a name, as it was saved, or a new one. Give the same settings each time: they are not saved.
 *
 * For one tab at a time: of two, the one that saves second is refused, and told (`conflict`). Many tabs that show one
 * list take `openShared`. Rejects with a `StoreError` where IndexedDB cannot be used, or holds what cannot be read; that
 * is left as it is.
 */
export async function openPersistent<T extends object = Record<string, Json>>(
  name: string,
  options: PersistentOptions = {},
): Promise<Persistent<T>> {
  await init();
  const database = await Database.open(name, options);
  try {
    return await Persistent.open<T>(name, database, options);
  } catch (problem) {
    database.close();
    throw storeError(name, problem);
  }
}

/** A cache, and its place in IndexedDB. */
export class Persistent<T extends object> implements Host<T> {
  readonly cache: ResourceCache<T>;
  /** What was kept beside the state. */
  readonly beside: Json | undefined;
  /** Whether there was a state. */
  readonly wasRestored: boolean;
  readonly #name: string;
  readonly #database: Database;
  readonly #options: PersistentOptions;
  readonly #lastResort: LastResort;
  readonly #seed: number;
  readonly #leave: (() => void)[];
  #revision: number;
  /** How many calls were made, and how many of them are saved. */
  #made = 0;
  #kept = 0;
  #saving: { readonly name: string; readonly done: Promise<void> } | undefined;
  #forget: (() => void) | undefined;
  #wait = 0;
  #failure: StoreError | undefined;
  #closed = false;

  private constructor(
    name: string,
    found: Found,
    parts: { database: Database; lastResort: LastResort; options: PersistentOptions },
  ) {
    const { database, lastResort, options } = parts;
    this.#name = name;
    this.#database = database;
    this.#lastResort = lastResort;
    this.#options = options;
    this.#seed = found.seed;
    this.#revision = found.revision;
    this.beside = found.beside;
    this.wasRestored = found.state !== undefined;
    const settings = { ...options, config: { ...options.config, seed: found.seed } };
    this.cache = new ResourceCache<T>(settings, found.state);
    if (found.lines !== "") this.cache.replay(found.lines);
    // Saved offline, opened online.
    if (this.cache.isOnline !== seemsOnline()) this.cache.setOnline(seemsOnline());
    this.#leave = [
      this.cache.afterCalls(() => this.#changed()),
      this.cache.onClose(() => this.#cacheCloses()),
      onLeaving(() => this.#leaving()),
    ];
    if (found.unsaved) this.#changed();
  }

  /** @internal */
  static async open<T extends object>(
    name: string,
    database: Database,
    options: PersistentOptions,
  ): Promise<Persistent<T>> {
    const lastResort = new LastResort(options.lastResort, options.database ?? "resourcecache", name);
    const told = options.onError ?? report;
    const found = await database.transact("readonly", async (stores) => {
      return withLastWords(name, await stored(name, stores), lastResort.read());
    });
    if (found.lost !== undefined) told(found.lost);
    if (!found.unsaved) lastResort.clear();
    const seed = options.config?.seed;
    const settings = seed === undefined ? found : { ...found, seed };
    return new Persistent<T>(name, settings, { database, lastResort, options });
  }

  /** Makes changes, and answers when they are saved. Rejects when they could not be: they are made all the same. */
  async update<R>(act: (cache: ResourceCache<T>) => R): Promise<R> {
    const result = act(this.cache);
    await this.saved();
    return result;
  }

  /** Whether everything is saved. */
  get isSaved(): boolean {
    return this.#kept === this.#made;
  }

  /** Why it could not be saved, until it is. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** Saves what is not saved, now, and answers when all that was changed before this call is kept. */
  async saved(): Promise<void> {
    const wanted = this.#made;
    while (this.#kept < wanted) await this.#save();
  }

  /** Saves, and closes the cache and the database. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#stop();
    try {
      if (!this.cache.isClosed) await this.saved();
    } finally {
      this.cache.close();
      this.#database.close();
    }
  }

  #changed(): void {
    this.#made += 1;
    if (this.#forget !== undefined || this.#saving !== undefined || this.#isOver) return;
    this.#saveIn(this.#wait || (this.#options.delay ?? 200));
  }

  #saveIn(ms: number): void {
    const { clock } = this.cache;
    this.#forget = clock.wake(clock.now() + ms, () => {
      this.#forget = undefined;
      this.#save().catch(() => {}); // It was told.
    });
  }

  /** One save at a time; what is changed meanwhile is for the next one. */
  #save(name = saveName(), durability?: Durability): Promise<void> {
    this.#forget?.();
    this.#forget = undefined;
    if (this.#isOver && this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#saving !== undefined) return this.#saving.done;
    const done = this.#saveNow(name, durability).finally(() => {
      this.#saving = undefined;
      const again = this.#wait || (this.#options.delay ?? 200);
      if (!this.isSaved && !this.#isOver && !this.#closed) this.#saveIn(again);
    });
    this.#saving = { name, done };
    return done;
  }

  async #saveNow(save: string, durability: Durability | undefined): Promise<void> {
    const made = this.#made;
    try {
      const written = this.#written(save);
      await this.#database.transact("readwrite", (stores) => this.#write(stores, written), durability);
      this.#revision = written.revision;
      this.#kept = made;
      this.#wait = 0;
      this.#failure = undefined;
      if (this.isSaved) this.#lastResort.clear();
    } catch (problem) {
      const failure = storeError(this.#name, problem);
      this.#wait = Math.min(Math.max(FIRST_WAIT, this.#wait * 2), LONGEST_WAIT);
      const news = failure.problem !== this.#failure?.problem;
      this.#failure = failure;
      if (news) (this.#options.onError ?? report)(failure);
      throw failure;
    }
  }

  #written(save: string): Saved & { readonly save: string } {
    const beside = this.#options.beside?.();
    return {
      name: this.#name,
      revision: this.#revision + 1,
      at: this.cache.clock.now(),
      state: this.cache.save(),
      save,
      ...(beside === undefined ? {} : { beside }),
    };
  }

  /** Writes the whole state, if nobody else has since. */
  async #write(
    { heads, states, records }: Stores,
    { save, ...saved }: Saved & { save: string },
  ): Promise<void> {
    const name = this.#name;
    const head = await headOf({ heads, states, records }, name);
    if ((head?.revision ?? 0) !== this.#revision) {
      const text = "another tab has saved it since; what was changed here is not saved";
      throw new StoreError("conflict", name, text, { state: saved.state });
    }
    const { revision } = saved;
    const own = { name, format: FORMAT, save, seed: this.#seed, settings: "" };
    const next: Head = { ...own, revision, saved: revision, length: 0, cleared: revision };
    heads.put(next);
    records.delete(recordsUpTo(name, revision));
    await asked(states.put(saved));
  }

  /**
   * The page goes away, or may. A transaction that is begun now is done as a rule, but nobody can wait for it; so the
   * same goes to the last resort.
   */
  #leaving(): void {
    if (this.isSaved || this.#isOver || this.cache.isClosed) return;
    const { state, save, beside } = this.#written(saveName());
    const words: LastWords = {
      format: FORMAT,
      base: this.#revision,
      save,
      over: this.#saving?.name ?? null,
      seed: this.#seed,
      state,
      ...(beside === undefined ? {} : { beside }),
    };
    try {
      this.#lastResort.write(words);
    } catch (problem) {
      // It may still come to IndexedDB: told, so that nothing is lost without a word.
      (this.#options.onError ?? report)(storeError(this.#name, problem));
    }
    this.#save(save, "relaxed").catch(() => {}); // It was told.
  }

  /** Somebody closes the cache itself: what is not saved is written with its last words. */
  #cacheCloses(): void {
    if (!this.#closed && !this.isSaved) {
      const text = "the cache was closed before it was saved; close it by Persistent.close()";
      (this.#options.onError ?? report)(new StoreError("closed", this.#name, text));
    }
    this.#stop();
    this.#database.close();
  }

  #stop(): void {
    this.#closed = true;
    this.#forget?.();
    this.#forget = undefined;
    for (const leave of this.#leave.splice(0)) leave();
  }

  get #isOver(): boolean {
    return this.#failure !== undefined && FINAL.has(this.#failure.problem);
  }
}

/** What IndexedDB has. */
async function stored(name: string, stores: Stores): Promise<Found & { readonly save?: string }> {
  const head = await headOf(stores, name);
  if (head === undefined) return { revision: 0, seed: randomSeed(), lines: "", unsaved: false };
  const saved = (await asked(stores.states.get(name))) as Saved | undefined;
  if (saved === undefined) throw new StoreError("damaged", name, "its state is missing");
  const since = (await asked(stores.records.getAll(recordsAfter(name, saved.revision)))) as Entry[];
  return {
    revision: head.revision,
    seed: head.seed,
    save: head.save,
    state: saved.state,
    lines: since.map((entry) => entry.lines).join(""),
    unsaved: false,
    ...(saved.beside === undefined ? {} : { beside: saved.beside as Json }),
  };
}

/** The same, with what the last page said in the end. */
function withLastWords(
  name: string,
  found: Found & { readonly save?: string },
  words: LastWords | undefined,
): Found & { readonly lost?: StoreError } {
  if (words === undefined || words.save === found.save) return found;
  if (words.format > FORMAT)
    throw new StoreError("newer", name, "a newer version of the library has left it");
  const follows = words.base === found.revision || (words.over !== null && words.over === found.save);
  if (!follows) {
    const text =
      "it was saved by another tab after this page was left; what that page said in the end is not taken";
    return { ...found, lost: new StoreError("conflict", name, text, { state: words.state }) };
  }
  const { seed, state, beside } = words;
  const taken = { revision: found.revision, seed, state, lines: "", unsaved: true };
  return beside === undefined ? taken : { ...taken, beside: beside as Json };
}

function report(problem: StoreError): void {
  console.error(problem);
}

/** Deletes what is kept under a name. Caches that are open are told when they save. */
export async function forget(
  name: string,
  options: DatabaseOptions & Pick<PersistentOptions, "lastResort"> = {},
) {
  const database = await Database.open(name, options);
  try {
    await database.transact("readwrite", async ({ heads, states, records }) => {
      heads.delete(name);
      records.delete(recordsUpTo(name, Infinity));
      await asked(states.delete(name));
    });
    new LastResort(options.lastResort, options.database ?? "resourcecache", name).clear();
  } finally {
    database.close();
  }
}

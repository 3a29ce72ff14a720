/** IndexedDB as promises, and the one database in which caches are kept. */

import { StoreError, storeError } from "./errors.js";

/** The version of the database's stores, not of what is in them. */
const VERSION = 1;
const STORES = ["heads", "states", "records"] as const;

/** The version of what is in the stores. */
export const FORMAT = 1;

/** What stands for a cache: whose turn it is, and where the rest is. */
export interface Head {
  readonly name: string;
  readonly format: number;
  /** How often something was saved. */
  readonly revision: number;
  /** Which save it was. */
  readonly save: string;
  /** Of the cache's config, so that all who keep it draw the same waits and keys. */
  readonly seed: number;
  /** What all who apply the same events must agree on. */
  readonly settings: string;
  /** The revision of the whole state that is stored. */
  readonly saved: number;
  /** How many characters of events were stored since. */
  readonly length: number;
  /** Records up to this revision are gone. */
  readonly cleared: number;
}

/** The whole state at a revision. */
export interface Saved {
  readonly name: string;
  readonly revision: number;
  /** The time at which it was so. */
  readonly at: number;
  readonly state: string;
  readonly beside?: unknown;
}

/** What made one revision of the one before it. */
export interface Entry {
  readonly name: string;
  readonly revision: number;
  /** Events, one a line, each with its time. */
  readonly lines: string;
}

/** How a commit is written: `strict` waits for the disk, and survives a loss of power. */
export type Durability = "strict" | "relaxed" | "default";

/** Where caches are kept. */
export interface DatabaseOptions {
  /** The name of the database. Default `resourcecache`. */
  readonly database?: string;
  /** Default the platform's. */
  readonly indexedDB?: IDBFactory;
  /** Default `strict`. */
  readonly durability?: Durability;
}

/** The stores within a transaction. */
export interface Stores {
  readonly heads: IDBObjectStore;
  readonly states: IDBObjectStore;
  readonly records: IDBObjectStore;
}

/** What a request answers. */
export function asked<R>(request: IDBRequest<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** An open database, which one cache uses. */
export class Database {
  readonly #db: IDBDatabase;
  readonly #cache: string;
  readonly #durability: Durability;
  /** Why it cannot be used any more. */
  #lost: StoreError | undefined;

  private constructor(db: IDBDatabase, cache: string, durability: Durability) {
    this.#db = db;
    this.#cache = cache;
    this.#durability = durability;
    // A newer version of the library must not wait for this one.
    db.onversionchange = () =>
      this.#lose("newer", "a newer version of the library keeps it now; load the page anew");
    db.onclose = () =>
      this.#lose("gone", "the browser has closed the database: the site's data were deleted");
  }

  static async open(cache: string, options: DatabaseOptions): Promise<Database> {
    const { database = "resourcecache", durability = "strict" } = options;
    try {
      const factory = options.indexedDB ?? (globalThis as { indexedDB?: IDBFactory }).indexedDB;
      if (factory === undefined) throw new Error("there is none here");
      return new Database(await opened(factory, database), cache, durability);
    } catch (problem) {
      throw storeError(cache, problem);
    }
  }

  /**
   * Does something in one transaction, whole or not at all. What is done must wait for nothing but the stores' requests.
   * Resolves when it is kept.
   */
  async transact<R>(
    mode: "readonly" | "readwrite",
    act: (stores: Stores) => Promise<R> | R,
    durability = this.#durability,
  ): Promise<R> {
    if (this.#lost !== undefined) throw this.#lost;
    try {
      const transaction = this.#db.transaction(STORES, mode, { durability });
      const kept = finished(transaction);
      const [heads, states, records] = STORES.map((name) => transaction.objectStore(name));
      let result: R;
      try {
        result = await act({ heads: heads!, states: states!, records: records! });
      } catch (problem) {
        kept.catch(() => {});
        abort(transaction);
        // The reason for which the transaction was aborted, rather than that its requests were.
        throw transaction.error ?? problem;
      }
      await kept;
      return result;
    } catch (problem) {
      throw this.#lost ?? storeError(this.#cache, problem);
    }
  }

  close(): void {
    this.#lose("closed", "it was closed");
  }

  #lose(problem: "newer" | "gone" | "closed", text: string): void {
    this.#lost ??= new StoreError(problem, this.#cache, text);
    this.#db.close();
  }
}

function opened(factory: IDBFactory, database: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(database, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("heads", { keyPath: "name" });
      request.result.createObjectStore("states", { keyPath: "name" });
      request.result.createObjectStore("records", { keyPath: ["name", "revision"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException("the transaction was aborted", "AbortError"));
  });
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It was aborted already.
  }
}

/** The records of a cache behind a revision. */
export function recordsAfter(name: string, revision: number): IDBKeyRange {
  return IDBKeyRange.bound([name, revision], [name, Infinity], true, false);
}

/** The records of a cache up to a revision. */
export function recordsUpTo(name: string, revision: number): IDBKeyRange {
  return IDBKeyRange.bound([name, -Infinity], [name, revision]);
}

/** The head of a cache, if it can be gone on from. */
export async function headOf(stores: Stores, name: string): Promise<Head | undefined> {
  const head = (await asked(stores.heads.get(name))) as Head | undefined;
  if (head !== undefined && head.format > FORMAT) {
    const text = `a newer version of the library keeps it (format ${head.format}); load the page anew`;
    throw new StoreError("newer", name, text);
  }
  return head;
}

/** A name for one save. */
export function saveName(): string {
  const parts = globalThis.crypto.getRandomValues(new Uint32Array(4));
  return [...parts].map((part) => part.toString(36)).join("");
}

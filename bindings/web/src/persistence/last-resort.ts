/**
 * What is written when a page goes away: IndexedDB answers later, and may never come to it. `localStorage` is written
 * before the call returns, so that it holds what IndexedDB may not get.
 */

/** What of a `Storage` is used. */
export interface LastResortStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A save that may not have come to IndexedDB. */
export interface LastWords {
  readonly format: number;
  /** The revision that it follows. */
  readonly base: number;
  /** Which save it is. */
  readonly save: string;
  /** Another save that was under way, and that it follows if that was done. */
  readonly over: string | null;
  readonly seed: number;
  readonly state: string;
  readonly beside?: unknown;
}

/** The last words of one cache. */
export class LastResort {
  readonly #storage: LastResortStorage | undefined;
  readonly #key: string;

  constructor(storage: LastResortStorage | null | undefined, database: string, cache: string) {
    this.#storage = storage === undefined ? platform() : (storage ?? undefined);
    this.#key = `${database}:${cache}`;
  }

  read(): LastWords | undefined {
    const text = this.#storage?.getItem(this.#key) ?? undefined;
    if (text === undefined) return undefined;
    try {
      const words = JSON.parse(text) as LastWords | null;
      return typeof words?.state === "string" ? words : undefined;
    } catch {
      return undefined;
    }
  }

  /** False when there is no such storage. Throws when there is no room in it. */
  write(words: LastWords): boolean {
    this.#storage?.setItem(this.#key, JSON.stringify(words));
    return this.#storage !== undefined;
  }

  clear(): void {
    this.#storage?.removeItem(this.#key);
  }
}

function platform(): LastResortStorage | undefined {
  try {
    // Node has one too, which needs a file.
    if (!("document" in globalThis)) return undefined;
    return (globalThis as { localStorage?: LastResortStorage }).localStorage;
  } catch {
    return undefined; // The user has blocked it.
  }
}

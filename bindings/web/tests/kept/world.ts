/** A browser's storage, locks and channels, in which several tabs live in one process. */

import { IDBFactory, IDBKeyRange, IDBObjectStore } from "fake-indexeddb";
import { vi } from "vitest";
import type { LastResortStorage } from "../../src/persistence/index.js";

/** Ranges are asked for by their global name. */
export function withRanges(): void {
  vi.stubGlobal("IDBKeyRange", IDBKeyRange);
}

/** An IndexedDB of one's own. */
export function storage(): IDBFactory {
  return new IDBFactory();
}

export const settle = async (turns = 6) => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};

/** Has each write for which `fails` says so break: `throw` when it is asked for, `abort` after it was done. */
export function breakWrites(fails: () => "throw" | "abort" | undefined): () => void {
  const { put } = IDBObjectStore.prototype;
  const spy = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (
    this: IDBObjectStore,
    value,
  ) {
    const how = fails();
    if (how === "throw") throw new DOMException("no room", "QuotaExceededError");
    const request = put.call(this, value);
    if (how === "abort") this.transaction.abort();
    return request;
  });
  return () => spy.mockRestore();
}

/** A `localStorage` of one's own, with room for so many characters. */
export class Notes implements LastResortStorage {
  readonly all = new Map<string, string>();
  room = Infinity;

  getItem(key: string): string | null {
    return this.all.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (value.length > this.room) throw new DOMException("no room", "QuotaExceededError");
    this.all.set(key, value);
  }

  removeItem(key: string): void {
    this.all.delete(key);
  }
}

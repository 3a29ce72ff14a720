/** A browser's storage, locks and channels, in which several tabs live in one process. */

import { IDBFactory, IDBKeyRange, IDBObjectStore } from "fake-indexeddb";
import { vi } from "vitest";
import type { LastResortStorage } from "../../src/persistence/index.js";
import type { ChannelLike, LocksLike } from "../../src/tabs/index.js";

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

/** Channels of one's own, which lose some messages, and deliver others late. */
export function channels(random: () => number = () => 1) {
  const open = new Set<Channel>();
  class Channel implements ChannelLike {
    onmessage: ((event: { readonly data: unknown }) => void) | null = null;
    readonly #name: string;
    constructor(name: string) {
      this.#name = name;
      open.add(this);
    }
    postMessage(data: unknown): void {
      for (const other of open) {
        if (other === this || other.#name !== this.#name || random() < 0.3) continue;
        const turns = Math.floor(random() * 4);
        void settle(turns).then(() => open.has(other) && other.onmessage?.({ data }));
      }
    }
    close(): void {
      open.delete(this);
    }
  }
  return Channel;
}

/** Web Locks of one's own: exclusive ones, in the order of the requests. */
export class Locks implements LocksLike {
  readonly #tails = new Map<string, Promise<unknown>>();

  async request<R>(name: string, { signal }: { signal?: AbortSignal }, work: () => Promise<R>): Promise<R> {
    signal?.throwIfAborted();
    const before = this.#tails.get(name) ?? Promise.resolve();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    this.#tails.set(
      name,
      before.then(() => held),
    );
    try {
      await Promise.race([
        before,
        new Promise((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        }),
      ]);
      return await work();
    } finally {
      release();
    }
  }
}

/** Numbers that look random, and are the same for the same seed (mulberry32, Tommy Ettinger, 2017). */
export function randomly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

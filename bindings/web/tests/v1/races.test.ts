/** What of two writers without a lock is on disk, move by move. */

import { createStorage } from "unstorage";
import { expect, it, vi } from "vitest";
import { RESOURCE_CACHE_CONFIG, ResourceCache, type KeyValueStorage } from "../../src/v1/index.js";
import { mergedByV1, shownByV1, type Item } from "./v1-0.js";
import { A, B, KEY, shown, type Zone } from "./world.js";

const open = (storage: KeyValueStorage) =>
  new ResourceCache<Zone>(storage, RESOURCE_CACHE_CONFIG.dnsZones, KEY, { settle: 0 });

/** A storage that lets another do something once, behind the n-th call of this kind. */
function interrupted(
  inner: KeyValueStorage,
  kind: "getItem" | "setItem",
  nth: number,
  other: () => Promise<void>,
): KeyValueStorage {
  let calls = 0;
  const behind = async (of: string) => {
    if (of !== kind) return;
    calls += 1;
    if (calls === nth) await other();
  };
  return {
    async getItem(key) {
      const value = await inner.getItem(key);
      await behind("getItem");
      return value;
    },
    async setItem(key, value) {
      await inner.setItem(key, value);
      await behind("setItem");
    },
  };
}

it("a writer that read before another wrote does its verb anew", async () => {
  const storage = createStorage();
  await open(storage).merge([A, B]);
  // Behind its second read it has seen list and state.
  const slow = interrupted(storage, "getItem", 2, () => open(storage).markAsDeleting("a"));
  await open(slow).markAsDeleting("b");
  expect(shown(await open(storage).getCachedResources())).toEqual([]);
});

it("a writer that was overtaken leaves the newer list", async () => {
  const storage = createStorage();
  await open(storage).merge([A, B]);
  // Behind its first write its state is there, and its list is not.
  const slow = interrupted(storage, "setItem", 1, () => open(storage).markAsDeleting("a"));
  await open(slow).markAsDeleting("b");
  expect(shownByV1(mergedByV1(await storage.getItem<Item[]>(KEY), [{ ...A }, { ...B }], Date.now()))).toEqual(
    [],
  );
});

it("a reader between a writer's state and its list reads the state", async () => {
  const storage = createStorage();
  let read: string[] | undefined;
  const slow = interrupted(storage, "setItem", 1, async () => {
    read = shown(await open(storage).getCachedResources());
  });
  await open(slow).merge([A, B]);
  expect(read).toEqual(["a", "b"]);
});

it("a list that was removed after the first write is no more", async () => {
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  try {
    const storage = createStorage();
    await open(storage).merge([A, B]);
    await storage.removeItem(KEY);
    vi.setSystemTime(Date.now() + 2_001);
    expect(await open(storage).getCachedResources()).toBeNull();
  } finally {
    vi.useRealTimers();
  }
});

it("a mark of v1.0's that is too old is not read", async () => {
  const storage = createStorage();
  const updatedAt = new Date(Date.now() - 6 * 60_000).toISOString();
  await storage.setItem(KEY, [{ ...A, _meta: { status: "updating", updatedAt } }]);
  expect(await open(storage).getOne("a")).toEqual(A);
});

/** What is kept in a storage, and several who share one. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStorage, prefixStorage, type Storage } from "unstorage";
import fs from "unstorage/drivers/fs";
import { afterEach, expect, it, vi } from "vitest";
import { RESOURCE_CACHE_CONFIG, ResourceCache, type KeyValueStorage } from "../../src/v1/index.js";
import { mergedByV1, shownByV1, type Item } from "./v1-0.js";
import { A, B, BEGIN, FIVE, KEY, shown, zones, type Zone } from "./world.js";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "resourcecache-"));
  folders.push(made);
  return made;
}

const open = (storage: KeyValueStorage) =>
  new ResourceCache<Zone>(storage, RESOURCE_CACHE_CONFIG.dnsZones, KEY);

it("keeps a list that v1.0 reads", async () => {
  const { storage, cache, clock } = zones();
  await cache.merge([A, B, { id: "c" }]);
  await cache.markAsDeleting("a", 60_000);
  await cache.markAsProcessing("b", "updating");
  const stored = await storage.getItem<Item[]>(KEY);
  const fresh = [{ ...A }, { ...B }, { id: "c" }];
  expect(shownByV1(mergedByV1(stored, fresh, clock.now() + 59_000))).toEqual(["b", "c"]);
  expect(shownByV1(mergedByV1(stored, fresh, clock.now() + 60_000))).toEqual(["a", "b", "c"]);
  expect(stored?.find((item) => item["id"] === "b")?._meta).toMatchObject({
    status: "updating",
    updatedAt: "2025-01-19T00:00:00.000Z",
  });
  // A tombstone too: v1.0 hides what a lagging replica lists.
  await cache.merge([B]);
  expect(shownByV1(mergedByV1(await storage.getItem<Item[]>(KEY), fresh, clock.now()))).toEqual(["b", "c"]);
});

it("takes over a list that v1.0 wrote, with its marks", async () => {
  const { storage, cache, clock } = zones();
  const at = new Date(BEGIN - 20_000).toISOString();
  await storage.setItem(KEY, [
    { ...A, _meta: { status: "deleting", deletedAt: at, minTtl: 60_000 } },
    { ...B, _meta: { status: "updating", updatedAt: at } },
    { id: "temp-1", _meta: { status: "creating", createdAt: at } },
    { name: "without id" },
    { id: "c", _meta: { status: "unheard of" } },
    null,
  ]);
  expect(shown(await cache.getCachedResources())).toEqual(["b", "c", "temp-1"]);
  expect(shown(await cache.merge([A, B]))).toEqual(["b", "temp-1"]);
  clock.advance(40_000);
  expect(shown(await cache.merge([A, B]))).toEqual(["a", "b", "temp-1"]);
});

it("takes over what v1.0 writes in between, and what is cleared", async () => {
  const { storage, cache } = zones();
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  try {
    await cache.merge([A, B]);
    await cache.markAsDeleting("a");
    const list = (await storage.getItem<Item[]>(KEY)) ?? [];
    await storage.setItem(KEY, [...list, { id: "c", _meta: { status: "deleting" } }]);
    expect(shown(await cache.merge([A, B, { id: "c" }]))).toEqual(["b"]);
    await cache.merge([A, B]);
    vi.setSystemTime(Date.now() + 10_000);
    await storage.removeItem(KEY);
    expect(await cache.getCachedResources()).toBeNull();
    expect(shown(await cache.merge([A, B]))).toEqual(["a", "b"]);
  } finally {
    vi.useRealTimers();
  }
});

it("loses nothing of many instances over one storage in memory", async () => {
  const storage = createStorage();
  const many = Array.from({ length: 40 }, (_, n) => ({ id: `zone-${n}` }));
  await open(storage).merge(many);
  await Promise.all(
    many.map((zone, n) => (n % 4 === 3 ? open(storage).merge(many) : open(storage).markAsDeleting(zone.id))),
  );
  const left = many.filter((_, n) => n % 4 === 3).map((zone) => zone.id);
  expect(shown(await open(storage).getCachedResources())).toEqual(left);
});

it("loses nothing of many instances over one folder, and survives them", async () => {
  const base = await folder();
  const storage = createStorage({ driver: fs({ base }) });
  await open(storage).merge(FIVE);
  await Promise.all(FIVE.slice(0, 4).map((zone) => open(storage).markAsDeleting(zone.id)));
  const later = open(createStorage({ driver: fs({ base }) }));
  expect(shown(await later.merge(FIVE))).toEqual(["zone-5"]);
  const text = await readFile(join(base, "dns-zones", "project-1"), "utf8");
  expect(shownByV1(JSON.parse(text) as Item[])).toEqual(["zone-5"]);
});

/** A storage on which each call takes a while: what other processes do lies between. */
function slow(inner: Storage, seed: number): KeyValueStorage {
  let state = seed;
  const wait = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return new Promise((resolve) => setTimeout(resolve, (state >>> 16) % 4));
  };
  return {
    async getItem(key) {
      await wait();
      const value = await inner.getItem(key);
      await wait();
      return value;
    },
    async setItem(key, value) {
      await wait();
      await inner.setItem(key, value);
      await wait();
    },
  };
}

it("does a verb anew when another process has written meanwhile", async () => {
  const inner = createStorage();
  // Each has a storage of its own over the same data, so that no lock of this process is shared. A commit of another
  // lands within 4 ms; it is waited on for many times that.
  const others = FIVE.map(
    (_, n) =>
      new ResourceCache<Zone>(slow(inner, n + 1), RESOURCE_CACHE_CONFIG.dnsZones, KEY, { settle: 200 }),
  );
  await open(inner).merge(FIVE);
  await Promise.all(others.slice(0, 4).map((other, n) => other.markAsDeleting(FIVE[n]?.id ?? "")));
  expect(shown(await open(inner).getCachedResources())).toEqual(["zone-5"]);
});

it("gives up with an error when others write all the time, and a lock helps", async () => {
  const storage = createStorage();
  let writes = 0;
  const rude: KeyValueStorage = {
    getItem: (key) => storage.getItem(key),
    async setItem(key, value) {
      const other = JSON.parse(value) as { commits?: string[] };
      const overwritten =
        other.commits === undefined ? other : { ...other, commits: [`other-${(writes += 1)}`] };
      await storage.setItem(key, JSON.stringify(overwritten));
    },
  };
  vi.spyOn(Math, "random").mockReturnValue(0);
  await expect(
    new ResourceCache<Zone>(rude, RESOURCE_CACHE_CONFIG.dnsZones, KEY, { settle: 0 }).merge([A]),
  ).rejects.toThrow(/50 writes in a row/);
  vi.restoreAllMocks();
  const held: string[] = [];
  const locked = new ResourceCache<Zone>(storage, RESOURCE_CACHE_CONFIG.dnsZones, "dns-zones:other", {
    async lock(key, work) {
      held.push(key);
      return work();
    },
  });
  await locked.merge([A]);
  expect(held).toEqual(["dns-zones:other"]);
});

it("rejects when the storage fails, and has changed nothing", async () => {
  const { storage, open } = zones();
  await open().merge([A, B]);
  const failing = vi.spyOn(storage, "setItem").mockRejectedValueOnce(new Error("disk full"));
  await expect(open().markAsDeleting("a")).rejects.toThrow("disk full");
  failing.mockRestore();
  expect(shown(await open().merge([A, B]))).toEqual(["a", "b"]);
});

it("takes turns by Web Locks where there are any", async () => {
  const storage = createStorage();
  const asked: string[] = [];
  let free: Promise<unknown> = Promise.resolve();
  const request = (name: string, work: () => Promise<unknown>) => {
    asked.push(name);
    const run = free.then(work);
    free = run.catch(() => {});
    return run;
  };
  vi.stubGlobal("navigator", { locks: { request } });
  try {
    // Two tabs: each has a storage of its own over the same data.
    const tabs = [prefixStorage<Zone[]>(storage, "x"), prefixStorage<Zone[]>(storage, "x")];
    await Promise.all(tabs.map((tab, n) => open(tab).markAsDeleting(n === 0 ? "a" : "b")));
    expect(asked).toEqual([`resourcecache:${KEY}`, `resourcecache:${KEY}`]);
    expect(shown(await open(tabs[0] ?? storage).merge([A, B]))).toEqual([]);
  } finally {
    vi.unstubAllGlobals();
  }
});

it("tells what is refused, and goes on as v1.0 did with what it did not know", async () => {
  const { cache, refused } = zones();
  await cache.merge([A]);
  await cache.updateMetadata("unknown", { progress: 5 });
  await cache.updateInPlace("unknown", { name: "x" });
  await cache.revert("unknown");
  await cache.remove("unknown");
  await cache.updateMetadata("a", { status: "processing", progress: 101 });
  expect(refused).toEqual([
    "unknown: no such resource here; merge a list that has it first",
    "unknown: no such resource here; merge a list that has it first",
    expect.stringMatching(/101 is not within 0 to 100/),
  ]);
  expect(await cache.getCachedResources()).toEqual([A]);
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await open(createStorage()).updateInPlace("unknown", { name: "x" });
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
});

it("marks the others of a batch when one is refused", async () => {
  const { cache, refused } = zones();
  await cache.merge([A, B]);
  await cache.markAsDeleting("a");
  await cache.batchMarkAsProcessing(["a", "b"], "updating");
  expect(refused).toHaveLength(1);
  expect((await cache.getByStatus("updating")).map((zone) => zone.id)).toEqual(["b"]);
  expect((await cache.getByStatus("deleting")).map((zone) => zone.id)).toEqual(["a"]);
  expect(await cache.isProcessing("b")).toBe(true);
  await cache.cleanupStaleOperations(0);
  await cache.cancelOperation("b");
  expect(await cache.isProcessing("b")).toBe(false);
});

it("lets a whole list be set, as subclasses of v1.0 did", async () => {
  const { cache } = zones();
  await cache.merge([A, B]);
  const list = (await cache.getCachedResources()) ?? [];
  await cache.setCachedResources(list.map((zone) => (zone.id === "a" ? { ...zone, name: "set" } : zone)));
  expect(await cache.getOne("a")).toEqual({ id: "a", name: "set" });
});

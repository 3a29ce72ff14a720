/** What users of version 1.0 lost, one test each. */

import { createStorage, normalizeKey } from "unstorage";
import { expect, it } from "vitest";
import { RESOURCE_CACHE_CONFIG, ResourceCache, type CachedResource } from "../../src/v1/index.js";
import { A, B, BEGIN, FIVE, KEY, shown, zones, type Zone } from "./world.js";

it("v1.0 lost a creating row at the next merge", async () => {
  const { cache } = zones();
  await cache.merge([A]);
  await cache.addAsCreating({ id: "temp-1", name: "new" });
  expect(await cache.merge([A])).toMatchObject([A, { id: "temp-1", _meta: { status: "creating" } }]);
  await cache.replaceCreated("temp-1", { id: "c", name: "new" });
  // Created, and shown while lists lag behind.
  expect(await cache.merge([A])).toEqual([A, { id: "c", name: "new" }]);
  expect(await cache.merge([{ id: "c", name: "new" }, A])).toEqual([{ id: "c", name: "new" }, A]);
});

it("v1.0 lost one of two calls at once", async () => {
  const { cache, open } = zones();
  const ids = FIVE.map((zone) => zone.id);
  await cache.merge(FIVE);
  await Promise.all(ids.map((id) => open().markAsDeleting(id)));
  expect(shown(await cache.getCachedResources())).toEqual([]);
  await Promise.all(ids.map((id) => cache.revert(id)));
  expect(shown(await cache.getCachedResources())).toEqual(ids);
});

it("v1.0 lost the server's value to that of a failed update", async () => {
  const { cache } = zones();
  await cache.merge([A]);
  await cache.markAsProcessing("a", "updating");
  await cache.updateMetadata("a", { error: "refused", message: "Update failed" });
  expect(await cache.merge([A])).toMatchObject([
    { ...A, _meta: { status: "updating", error: "refused", message: "Update failed" } },
  ]);
  await cache.revert("a");
  expect(await cache.merge([A])).toEqual([A]);
});

it("v1.0 lost a mark on a cold cache", async () => {
  const { cache } = zones();
  expect(await cache.getCachedResources()).toBeNull();
  await cache.markAsDeleting("a");
  expect(shown(await cache.merge([A, B]))).toEqual(["b"]);
});

it("v1.0 lost the mark of a deletion when one list lacked it, and showed it again from a lagging replica", async () => {
  const { cache, clock } = zones();
  await cache.merge([A, B]);
  await cache.markAsDeleting("a");
  // Gone: nothing is being deleted any more, so that nobody polls for it.
  expect(await cache.merge([B])).toEqual([B]);
  clock.advance(10_000);
  expect(shown(await cache.merge([A, B]))).toEqual(["b"]);
  // Still listed after its time: the deletion has failed.
  clock.advance(60_000);
  expect(shown(await cache.merge([A, B]))).toEqual(["a", "b"]);
});

it("v1.0 lost no mark of an update or a creation, ever", async () => {
  const { cache, clock } = zones();
  await cache.merge([A, B]);
  await cache.markAsProcessing("a", "updating");
  await cache.markAsProcessing("b", "creating");
  clock.advance(5 * 60_000 + 1);
  expect(await cache.merge([A, B])).toEqual([A, B]);
});

it("v1.0 lost an answered value to a list that lags", async () => {
  const { cache, clock } = zones();
  await cache.merge([A]);
  await cache.markAsProcessing("a", "updating");
  await cache.updateInPlace("a", { name: "renamed" });
  await cache.revert("a");
  clock.advance(5_000);
  expect(await cache.merge([A])).toEqual([{ id: "a", name: "renamed" }]);
  expect(await cache.merge([{ id: "a", name: "by others" }])).toEqual([{ id: "a", name: "by others" }]);
});

it("v1.0 lost the clock of a deletion that was marked twice", async () => {
  const { cache, clock } = zones();
  await cache.merge([A]);
  await cache.markAsDeleting("a", 60_000);
  clock.advance(50_000);
  await cache.markAsDeleting("a", 1_000);
  clock.advance(5_000);
  expect(shown(await cache.merge([A]))).toEqual([]);
  // Not begun anew either.
  clock.advance(5_000);
  expect(shown(await cache.merge([A]))).toEqual(["a"]);
});

it("v1.0 lost an hour when the clock was set back by one", async () => {
  const { cache, clock } = zones();
  await cache.merge([A]);
  await cache.markAsDeleting("a", 60_000);
  clock.set(BEGIN - 3_600_000);
  await cache.merge([A]);
  clock.advance(60_000);
  expect(shown(await cache.merge([A]))).toEqual(["a"]);
});

it("v1.0 lost which of two rows with one id is meant, and showed both", async () => {
  const { cache } = zones();
  expect(await cache.merge([A, B, { ...A, name: "later" }])).toEqual([{ id: "a", name: "later" }, B]);
});

it("v1.0 lost rows whose id is a number to texts, and rows without id to each other", async () => {
  const storage = createStorage();
  const config = { ...RESOURCE_CACHE_CONFIG.dnsZones, identifierField: "id" as const };
  const cache = new ResourceCache<{ id: number; name?: string }>(storage, config, KEY);
  await cache.merge([{ id: 7 }, { id: 8 }]);
  await cache.markAsDeleting("7");
  const list = await cache.merge([{ id: 7 }, { id: 8 }]);
  expect(list.filter((item) => item._meta?.status !== "deleting")).toEqual([{ id: 8 }]);
  const without = [{ name: "none" }, { id: 8 }] as { id: number }[];
  await expect(cache.merge(without)).rejects.toThrow(/item 0/);
  expect(await cache.getOne("8")).toEqual({ id: 8 });
});

it("v1.0 lost 0 % of progress on the way to the screen", async () => {
  const { cache } = zones();
  await cache.merge([A]);
  await cache.updateMetadata("a", { status: "processing", progress: 0, message: "Starting..." });
  expect((await cache.getOne("a"))?._meta).toMatchObject({ status: "processing", progress: 0 });
});

it("v1.0 lost for ever what a bad date hid", async () => {
  const { storage, cache, clock } = zones();
  const bad = { status: "deleting", deletedAt: "Invalid Date", minTtl: 60_000 };
  await storage.setItem(KEY, [{ ...A, _meta: bad }, B]);
  expect(shown(await cache.merge([A, B]))).toEqual(["b"]);
  clock.advance(60_000);
  expect(shown(await cache.merge([A, B]))).toEqual(["a", "b"]);
});

it("v1.0 lost page 2's marks when page 1 was merged", async () => {
  const { cache } = zones();
  await cache.merge([A, B]);
  await cache.markAsDeleting("b");
  await cache.merge([A]);
  expect(shown(await cache.merge([A, B]))).toEqual(["a"]);
});

it("v1.0 lost a deletion to a late mark", async () => {
  const { cache, refused } = zones();
  await cache.merge([A, B]);
  await cache.markAsDeleting("a");
  await cache.markAsProcessing("a", "updating");
  expect(refused).toEqual(["a: a resource that is deleting cannot begin update"]);
  expect(shown(await cache.merge([A, B]))).toEqual(["b"]);
});

it("v1.0 lost a newer operation to the timers of the document, 2 s and 5 s later", async () => {
  for (const [metadata, timer] of [
    [{ stage: "complete", progress: 100 }, 2_000],
    [{ error: "refused", message: "Update failed" }, 5_000],
  ] as const) {
    const { cache, clock } = zones();
    await cache.merge([A, B]);
    await cache.markAsProcessing("a", "updating");
    await cache.updateMetadata("a", metadata);
    clock.advance(1_000);
    await cache.markAsDeleting("a");
    clock.advance(timer - 1_000);
    await cache.revert("a");
    expect((await cache.getOne("a"))?._meta?.status).toBe("deleting");
    // One that is about the deletion is.
    await cache.revert("a");
    expect(await cache.getOne("a")).toEqual(A);
  }
});

it("v1.0 lost no rollback, and neither is one lost that comes when no timer would", async () => {
  const { cache, clock } = zones();
  await cache.merge([A]);
  await cache.markAsProcessing("a", "updating");
  await cache.updateMetadata("a", { progress: 100 });
  await cache.markAsDeleting("a");
  clock.advance(300);
  await cache.revert("a");
  expect(await cache.getOne("a")).toEqual(A);
});

it("v1.0 lost the deletions of its own bulk scenario", async () => {
  const { cache, clock } = zones();
  await cache.merge(FIVE);
  const ids = FIVE.map((zone) => zone.id);
  await cache.batchMarkAsProcessing(ids, "deleting");
  await cache.batchRemove(ids);
  clock.advance(5_000);
  expect(shown(await cache.merge(FIVE))).toEqual([]);
});

it("v1.0 lost the difference between keys", () => {
  const { dnsRecords, projects } = RESOURCE_CACHE_CONFIG;
  expect(dnsRecords.getCacheKey("project-1", "zone-1")).toBe("dns-records:project-1:zone-1");
  expect(projects.getCacheKey("org")).toBe("projects:org");
  const parts = [
    ["a", "b:c"],
    ["a:b", "c"],
    ["a/b", "c"],
    ["a", "b/c"],
    ["a", ""],
    ["a"],
    ["a", "?b"],
    ["..", "a"],
  ];
  const keys = parts.map((args) => normalizeKey(dnsRecords.getCacheKey(...args)));
  expect(new Set(keys).size).toBe(parts.length);
  expect(keys[0]).toBe("dns-records:a:b%3Ac");
  expect(keys.at(-1)).toBe("dns-records:%2E%2E:a");
});

it("v1.0 lost the truth to a `_meta` of the server's", async () => {
  const { cache, storage } = zones();
  const claimed = { ...A, _meta: { status: "deleting" } } as CachedResource<Zone>;
  expect(await cache.merge([claimed, B])).toEqual([A, B]);
  await cache.updateInPlace("a", { name: "2", ...{ _meta: { status: "deleting" } } });
  expect(await cache.merge([claimed, B])).toMatchObject([{ id: "a", name: "2" }, B]);
  expect(JSON.stringify(await storage.getItem(KEY))).not.toContain("_meta");
});

it("v1.0 lost a second where eight thousand rows are merged, and a minute where there are more", async () => {
  const { cache } = zones();
  const timed = async (count: number) => {
    const many = Array.from({ length: count }, (_, n) => ({ id: `zone-${n}`, name: `name ${n}` }));
    let best = Infinity;
    for (let run = 0; run < 3; run += 1) {
      const begin = performance.now();
      await cache.merge(many);
      best = Math.min(best, performance.now() - begin);
    }
    return best;
  };
  await timed(1_000);
  const [few, many] = [await timed(1_000), await timed(8_000)];
  // Eight times as many take eight times as long, or twice that on a busy machine; n² would be 64 times.
  expect(many / few).toBeLessThan(32);
});

/** The document's examples and integration test, run. */

import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { createStorage } from "unstorage";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { init } from "resourcecache";
import { RESOURCE_CACHE_CONFIG, ResourceCache } from "resourcecache/v1";
import { DomainStatusBadge } from "./badge.js";
import * as examples from "./examples.js";

const { dnsZones, dnsRecords, domains } = RESOURCE_CACHE_CONFIG;
const FIVE = ["zone-1", "zone-2", "zone-3", "zone-4", "zone-5"].map((id) => ({ id }));
const RECORDS = ["rec-1", "rec-2", "rec-3", "rec-4", "rec-5"].map((id) => ({ id }));

const never = () => Promise.reject(new Error("not asked for"));
const nothing: examples.Api = {
  registerDomain: never,
  listDomains: never,
  deleteZone: never,
  updateRecord: never,
  update: never,
  delete: never,
  list: never,
};

const visible = (list: { id: string; _meta?: { status: string } }[]) =>
  list.filter((item) => item._meta?.status !== "deleting").map((item) => item.id);

beforeEach(async () => {
  await init();
  vi.useFakeTimers({ now: Date.parse("2025-01-19T00:00:00Z") });
});

afterEach(() => void vi.useRealTimers());

it("scenario 1: a domain's registration shows each stage, and its mark is gone 2 s after its end", async () => {
  const storage = createStorage();
  const domain = { id: "d", name: "d.example", status: "registering" };
  const api = {
    ...nothing,
    registerDomain: async () => ({ job: "1" }),
    listDomains: async () => [{ ...domain }],
  };
  const registering = await examples.scenario1(storage, api, "domains:p", "d", { name: "d.example" });
  const [shown] = await registering.domainCache.merge([domain]);
  expect(shown).toMatchObject({
    ...domain,
    _meta: { status: "creating", stage: "registering", progress: 33 },
  });
  domain.status = "registered";
  const { domainCache } = await examples.scenario1(storage, api, "domains:p", "d", { name: "d.example" });
  await vi.advanceTimersByTimeAsync(1_900);
  expect((await domainCache.getOne("d"))?._meta).toMatchObject({ stage: "complete", progress: 100 });
  await vi.advanceTimersByTimeAsync(200);
  expect(await domainCache.getOne("d")).toEqual(domain);
});

it("scenario 1: the badge says what goes on", () => {
  const meta = { status: "creating", message: "Registering with registrar...", progress: 33 } as const;
  const domain = { id: "d", name: "d.example", status: "registering", _meta: meta };
  const html = renderToStaticMarkup(createElement(DomainStatusBadge, { domain }));
  expect(html.replaceAll(/<[^>]*>/g, "")).toBe("Registering with registrar...(33%)");
});

it("scenario 2: what was deleted stays hidden, what was not is back, and the toast counts both", async () => {
  const storage = createStorage();
  const cache = new ResourceCache(storage, dnsZones, "dns-zones:p");
  await cache.merge(FIVE);
  const told: unknown[] = [];
  const api = { ...nothing, deleteZone: (id: string) => (id === "zone-3" ? never() : Promise.resolve()) };
  await examples.scenario2(cache, api, { success: (...all) => told.push(all) });
  expect(told).toEqual([["Deleted 4 zones", { description: "Failed to delete 1 zones" }]]);
  await vi.advanceTimersByTimeAsync(5_000);
  // The server lags.
  expect(visible(await cache.merge(FIVE))).toEqual(["zone-3"]);
});

it("scenario 3: an edit that fails twice is retried, and its answer shows while lists lag", async () => {
  const storage = createStorage();
  const record = { id: "r", name: "old" };
  const cache = new ResourceCache(storage, dnsRecords, "dns-records:p:z");
  await cache.merge([record]);
  let left = 2;
  const updateRecord = async (id: string, changes: { name?: string }) =>
    (left -= 1) >= 0 ? never() : { id, ...changes };
  const done = examples.scenario3(storage, { ...nothing, updateRecord }, "dns-records:p:z", "r", {
    name: "new",
  });
  await vi.advanceTimersByTimeAsync(500);
  expect((await cache.getOne("r"))?._meta).toMatchObject({
    status: "retrying",
    retryCount: 1,
    maxRetries: 3,
    message: "Retry 1/3...",
  });
  await vi.advanceTimersByTimeAsync(3_000);
  await done;
  expect(await cache.merge([record])).toEqual([{ id: "r", name: "new" }]);
});

it("scenario 3: an edit that fails for good shows its error for 5 s", async () => {
  const storage = createStorage();
  const record = { id: "r", name: "old" };
  const cache = new ResourceCache(storage, dnsRecords, "dns-records:p:z");
  await cache.merge([record]);
  const done = examples.scenario3(storage, nothing, "dns-records:p:z", "r", { name: "new" });
  // It runs as in the document: the last two attempts follow 1 s and 2 s later.
  await vi.advanceTimersByTimeAsync(3_100);
  await done;
  const failed = (await cache.merge([record]))[0];
  expect(failed?._meta).toMatchObject({ error: "not asked for", message: "Update failed", retryCount: 2 });
  await vi.advanceTimersByTimeAsync(5_100);
  expect(await cache.merge([record])).toEqual([record]);
});

it("1.1: an update shows its answer, and a failure the server's word", async () => {
  const storage = createStorage();
  const cache = new ResourceCache(storage, dnsZones, "dns-zones:p");
  await cache.merge([{ id: "z", name: "old" }]);
  await examples.update(storage, nothing, "dns-zones:p", "z", { name: "new" });
  expect(await cache.getOne("z")).toEqual({ id: "z", name: "old" });
  const update = async (id: string, changes: { name?: string }) => ({ id, ...changes });
  await examples.update(storage, { ...nothing, update }, "dns-zones:p", "z", { name: "new" });
  expect(await cache.getOne("z")).toEqual({ id: "z", name: "new" });
});

it("1.2: a verification begins by its metadata", async () => {
  const cache = new ResourceCache(createStorage(), domains, "domains:p");
  await cache.merge([{ id: "d" }]);
  await examples.verify(cache, "d");
  expect((await cache.getOne("d"))?._meta).toMatchObject({
    status: "processing",
    stage: "active",
    progress: 100,
    message: "Verification complete",
  });
});

it("2.2: records that were deleted together stay hidden, and all are back when one fails", async () => {
  const cache = new ResourceCache(createStorage(), dnsRecords, "dns-records:p:z");
  await cache.merge(RECORDS);
  await examples.bulkDelete(cache, nothing);
  expect(visible(await cache.merge(RECORDS))).toHaveLength(5);
  await examples.bulkDelete(cache, { ...nothing, delete: () => Promise.resolve() });
  expect(visible(await cache.merge(RECORDS))).toEqual([]);
});

it("the delete flow: hidden on every refresh, cleaned up when the API has deleted it, shown after the TTL if not", async () => {
  for (const deletes of [true, false]) {
    const cache = new ResourceCache(createStorage(), dnsZones, "dns-zones:p");
    let listed = FIVE;
    const api = { ...nothing, delete: () => Promise.resolve(), list: async () => listed };
    await examples.loader(cache, api);
    expect(await examples.correctPattern(cache, api, "zone-1", (to) => to)).toBe("/list");
    for (const wait of [0, 10_000, 20_000]) {
      await vi.advanceTimersByTimeAsync(wait);
      expect(examples.component(await examples.loader(cache, api))).toEqual(FIVE.slice(1));
    }
    if (deletes) listed = FIVE.slice(1);
    await vi.advanceTimersByTimeAsync(20_000);
    const data = await examples.loader(cache, api);
    // Cleaned up: not even a hidden row is left.
    expect(data).toHaveLength(deletes ? 4 : 5);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(examples.component(await examples.loader(cache, api))).toEqual(listed);
  }
});

/** What the tests of `resourcecache/v1` share. */

import { createStorage, type Storage } from "unstorage";
import { ManualClock } from "../../src/index.js";
import { RESOURCE_CACHE_CONFIG, ResourceCache, type ResourceCacheOptions } from "../../src/v1/index.js";

export interface Zone {
  id: string;
  name?: string;
  n?: number;
}

export const KEY = "dns-zones:project-1";
export const BEGIN = Date.parse("2025-01-19T00:00:00Z");

export const A: Zone = { id: "a", name: "one" };
export const B: Zone = { id: "b", name: "two" };
export const FIVE: Zone[] = ["1", "2", "3", "4", "5"].map((n) => ({ id: `zone-${n}` }));

/** A storage in memory, a clock that stands, and a cache over both. */
export function zones(options: ResourceCacheOptions = {}) {
  const storage: Storage = createStorage();
  const clock = new ManualClock(BEGIN);
  const refused: string[] = [];
  const open = (more: ResourceCacheOptions = {}) =>
    new ResourceCache<Zone>(storage, RESOURCE_CACHE_CONFIG.dnsZones, KEY, {
      clock,
      onRefused: (problem) => refused.push(problem.message),
      ...options,
      ...more,
    });
  return { storage, clock, refused, open, cache: open() };
}

interface Marked {
  readonly id: string;
  readonly _meta?: { readonly status: string };
}

/** What the list page shows: the ids of what is not being deleted. */
export function shown(list: readonly Marked[] | null): string[] {
  return (list ?? []).filter((item) => item._meta?.status !== "deleting").map((item) => item.id);
}

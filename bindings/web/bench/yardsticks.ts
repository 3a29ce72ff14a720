/** What one would do without the library, each to the changed rows or to the list to show. */

import { createCollection, type SyncConfig } from "@tanstack/db";
import { QueryClient } from "@tanstack/query-core";
import type { Zone } from "./lists.js";

/** Takes a list's text; answers how many rows are new to whoever draws them. */
export type Taker = (text: string) => number;

/** What is under way: one deletion and one update, as an optimistic list has. */
interface Overlay {
  readonly deleting: ReadonlySet<string>;
  readonly patches: ReadonlyMap<string, Partial<Zone>>;
}

const OVERLAY: Overlay = {
  deleting: new Set(["zone-000001"]),
  patches: new Map([["zone-000002", { spec: { replicas: 9 } }]]),
};

/** Parses all, joins by id in a Map, and finds what has another version: the cheapest comparison there is. */
export function byHand(): Taker {
  let held = new Map<string, Zone>();
  return (text) => {
    const next = new Map<string, Zone>();
    let changed = 0;
    for (const zone of JSON.parse(text) as Zone[]) {
      const old = held.get(zone.id);
      const same = old?.metadata.resourceVersion === zone.metadata.resourceVersion;
      next.set(zone.id, old !== undefined && same ? old : zone);
      if (!same) changed++;
    }
    held = next;
    return changed;
  };
}

/** TanStack Query: the answer with an overlay laid over it goes into `setQueryData`, which shares what is equal. */
export function query(): Taker {
  const client = new QueryClient();
  const key = ["zones"];
  return (text) => {
    const zones = JSON.parse(text) as Zone[];
    const before = new Set(client.getQueryData<Zone[]>(key));
    const shown = zones
      .filter((zone) => !OVERLAY.deleting.has(zone.id))
      .map((zone) => ({ ...zone, ...OVERLAY.patches.get(zone.id) }));
    const after = client.setQueryData<Zone[]>(key, shown) ?? [];
    return after.filter((zone) => !before.has(zone)).length;
  };
}

/** TanStack DB: what differs from the synced rows is written in one transaction; a subscriber is told what changed. */
export function database(): Taker {
  type Sync = Parameters<SyncConfig<Zone, string>["sync"]>[0];
  let sync: Sync | undefined;
  const synced = new Map<string, Zone>();
  const zones = createCollection<Zone, string>({
    getKey: (zone) => zone.id,
    startSync: true,
    sync: { sync: (given) => void (sync = given) },
  });
  let told = 0;
  zones.subscribeChanges((changes) => void (told += changes.length));
  return (text) => {
    told = 0;
    const answer = JSON.parse(text) as Zone[];
    sync?.begin();
    for (const zone of answer) {
      const old = synced.get(zone.id);
      if (old?.metadata.resourceVersion === zone.metadata.resourceVersion) continue;
      sync?.write({ type: old === undefined ? "insert" : "update", value: zone });
      synced.set(zone.id, zone);
    }
    sync?.commit();
    sync?.markReady();
    return told;
  };
}

/** Version 1.0's `merge`: each fresh row takes the mark of the stored one, which is looked for from the start. */
export function v1(): Taker {
  type Marked = Zone & { readonly _meta?: { readonly minTtl?: number; readonly deletedAt?: string } };
  let stored = "[]";
  return (text) => {
    const fresh = JSON.parse(text) as Zone[];
    const cached = JSON.parse(stored) as Marked[];
    const merged = fresh.map((zone): Marked => {
      const _meta = cached.find((each) => each.id === zone.id)?._meta;
      if (_meta === undefined) return zone;
      const { minTtl, deletedAt } = _meta;
      const expired =
        minTtl !== undefined && deletedAt !== undefined && Date.now() - Date.parse(deletedAt) >= minTtl;
      return expired ? zone : { ...zone, _meta };
    });
    stored = JSON.stringify(cached.length === 0 ? fresh : merged);
    return merged.length;
  };
}

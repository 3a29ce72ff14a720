/** Rows as version 1.0 has them, and lists of version 1.0 that the core takes. */

import type { Row } from "../types.js";
import type { CachedResource, CacheMetadata } from "./types.js";

const STATUSES = ["deleting", "creating", "updating", "processing", "retrying"];

/** A row as a resource with its `_meta`: the cache's, never one of the server's. */
export function cachedOf<T>({ value, meta }: Row<object>): CachedResource<T> {
  const { _meta: _, ...resource } = value as { _meta?: unknown };
  const cached = meta?.status === undefined ? resource : { ...resource, _meta: { ...meta } };
  return cached as CachedResource<T>;
}

/** Whether version 1.0 would have it: not behind its tombstone, which it does not know. */
export function isKept(row: Row<object>): boolean {
  return row.state !== "gone";
}

/** The items that the core can take: those with an id, and without a mark that is none. */
export function importable(list: readonly unknown[], identifier: string): object[] {
  const items = list.filter((item): item is Record<string, unknown> => {
    if (typeof item !== "object" || item === null) return false;
    const id = (item as Record<string, unknown>)[identifier];
    return (typeof id === "string" && id !== "") || Number.isSafeInteger(id);
  });
  return items.map((item) => {
    if (!("_meta" in item) || isMark(item._meta)) return item;
    const { _meta: _, ...bare } = item;
    return bare;
  });
}

function isMark(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { status, progress, stage, error, message, retryCount, maxRetries, ttl, minTtl } =
    value as Partial<CacheMetadata>;
  const isText = (text: unknown) => text === undefined || typeof text === "string";
  const isNumber = (number: unknown) => number === undefined || typeof number === "number";
  const isCount = (count: unknown) => count === undefined || (Number.isInteger(count) && Number(count) >= 0);
  return (
    (status === undefined || STATUSES.includes(status)) &&
    (progress === undefined || (progress >= 0 && progress <= 100)) &&
    [stage, error, message].every(isText) &&
    [ttl, minTtl].every(isNumber) &&
    [retryCount, maxRetries].every(isCount)
  );
}

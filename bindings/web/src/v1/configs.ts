/** The ready configs of version 1.0. */

import type { ResourceCacheConfig } from "./types.js";

/**
 * A config of a sort of collection. Keys are as version 1.0 made them, but that what would end a part within an
 * argument is percent-encoded, so that no two lists of arguments give the same key.
 */
export function resourceCacheConfig<T>(keyPrefix: string, identifierField: keyof T): ResourceCacheConfig<T> {
  const getCacheKey = (...args: string[]) => [keyPrefix, ...args.map(encoded)].join(":");
  return { keyPrefix, identifierField, getCacheKey };
}

/** unstorage takes `:`, `/` and `\` for separators, ends a key at `?`, and drops empty parts. */
function encoded(argument: string): string {
  if (argument === "") return "%";
  const text = argument.replace(/[%:/\\?]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return `%${code.padStart(2, "0")}`;
  });
  return /^\.+$/.test(text) ? text.replaceAll(".", "%2E") : text;
}

/** Projects of an organisation by name, and DNS zones, domains and records of a project by id. */
export const RESOURCE_CACHE_CONFIG = {
  /** `projects:{orgId}` */
  projects: resourceCacheConfig<{ name: string }>("projects", "name"),
  /** `dns-zones:{projectId}` */
  dnsZones: resourceCacheConfig<{ id: string }>("dns-zones", "id"),
  /** `domains:{projectId}` */
  domains: resourceCacheConfig<{ id: string }>("domains", "id"),
  /** `dns-records:{projectId}:{zoneId}` */
  dnsRecords: resourceCacheConfig<{ id: string }>("dns-records", "id"),
} as const;

export { RESOURCE_CACHE_CONFIG, resourceCacheConfig } from "./configs.js";
export { ResourceCache, type ResourceCacheOptions } from "./resource-cache.js";
export type { Lock } from "./serial.js";
export type { CachedResource, CacheMetadata, KeyValueStorage, ResourceCacheConfig } from "./types.js";

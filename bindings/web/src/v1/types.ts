/** The types that code for version 1.0 names. Nothing here runs. */

/** What a user is told about a resource's operation: the document's `CacheMetadata`. */
export interface CacheMetadata {
  status: "deleting" | "creating" | "updating" | "processing" | "retrying";
  startedAt?: string | undefined;
  completedAt?: string | undefined;
  deletedAt?: string | undefined;
  createdAt?: string | undefined;
  updatedAt?: string | undefined;
  /** How far it is, 0 to 100. */
  progress?: number | undefined;
  /** A sub-state of a longer work, such as `verifying`. */
  stage?: string | undefined;
  error?: string | undefined;
  retryCount?: number | undefined;
  maxRetries?: number | undefined;
  message?: string | undefined;
  /** After how many milliseconds unheard of it is given up. */
  ttl?: number | undefined;
  /** How many milliseconds it guards at least. */
  minTtl?: number | undefined;
}

/** A resource, and what goes on with it; without `_meta` nothing does. */
export type CachedResource<T> = T & { _meta?: CacheMetadata };

/** One sort of collection: how its keys begin, and by which field its resources are told apart. */
export interface ResourceCacheConfig<T> {
  keyPrefix: string;
  identifierField: keyof T;
  getCacheKey(...args: string[]): string;
}

/** What of an unstorage `Storage` is used. */
export interface KeyValueStorage {
  getItem(key: string): Promise<unknown>;
  setItem(key: string, value: string): Promise<void>;
}

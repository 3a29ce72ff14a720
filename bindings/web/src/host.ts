/** Where changes are made: a cache by itself, or one whose changes are kept somewhere before they count. */

import { ResourceCache } from "./cache.js";

/** Something that has a cache, and keeps what is changed in it: a persistent or a shared cache. */
export interface Host<T extends object> {
  readonly cache: ResourceCache<T>;
  /** Makes changes, and answers when they are kept. What is done must not wait for anything. */
  update<R>(act: (cache: ResourceCache<T>) => R): Promise<R>;
}

/** A cache, or what keeps one. */
export type Target<T extends object> = ResourceCache<T> | Host<T>;

/** The cache, and how changes are made in it: at once in a cache by itself. */
export interface Hosted<T extends object> {
  readonly cache: ResourceCache<T>;
  within<R>(act: (cache: ResourceCache<T>) => R): R | Promise<R>;
}

export function hosted<T extends object>(target: Target<T>): Hosted<T> {
  if (target instanceof ResourceCache) return { cache: target, within: (act) => act(target) };
  return { cache: target.cache, within: (act) => target.update(act) };
}

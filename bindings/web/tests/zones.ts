/** What several tests begin with. */

import { ManualClock, ResourceCache, type Options } from "../src/index.js";

export interface Zone {
  readonly id: string;
  readonly name?: string;
}

/** An empty cache by a clock that stands at 1,000,000 ms. */
export function zones(options: Options = {}) {
  const clock = new ManualClock(1_000_000);
  const cache = new ResourceCache<Zone>({ clock, ...options });
  return { cache, clock };
}

/** The ids of the visible list. */
export const ids = (cache: ResourceCache<Zone>) => cache.getSnapshot().map((row) => row.id);

/** Hooks: a cache's list, one of its resources, and the cache itself. */

import { useCallback, useEffect, useState, useSyncExternalStore, type DependencyList } from "react";
import type { ResourceCache } from "../cache.js";
import { init } from "../load.js";
import type { Json, Row, Status } from "../types.js";

const NO_ROWS: readonly never[] = Object.freeze([]);

/** A cache, or none yet: on a server, before hydration, and while the WebAssembly loads. */
export type MaybeCache<T extends object> = ResourceCache<T> | undefined;

/**
 * The visible rows of a cache, in list order. A row that did not change is the same object as before, so that a
 * component in `memo` that takes one renders again only when its own row changed.
 *
 * `initial` is what to show while there is no cache, such as `rowsOf(loaderData)`; by default nothing.
 */
export function useResources<T extends object>(
  cache: MaybeCache<T>,
  initial: readonly Row<T>[] = NO_ROWS,
): readonly Row<T>[] {
  const subscribe = useCallback((changed: () => void) => cache?.subscribe(changed) ?? nothing, [cache]);
  return useSyncExternalStore(
    subscribe,
    () => cache?.getSnapshot() ?? initial,
    () => initial,
  );
}

/** One row, hidden or not, also under an id that it had; undefined while there is none. */
export function useResource<T extends object>(cache: MaybeCache<T>, id: string): Row<T> | undefined {
  return useSyncExternalStore(useCalls(cache), () => rowOf(cache, id), noRow);
}

/** What goes on with a resource, hidden or not: it renders again when that changes, and only then. */
export function useStatus<T extends object>(cache: MaybeCache<T>, id: string): Status | undefined {
  return useSyncExternalStore(useCalls(cache), () => rowOf(cache, id)?.meta?.status, noRow);
}

/**
 * A cache of the component's own: made when the WebAssembly is loaded, anew when `deps` change, and closed with the
 * component. It is undefined until then, so that the server's page and the first one in the browser are the same.
 *
 * ```tsx
 * const zones = useResourceCache(() => new ResourceCache<Zone>({ config: { ttl: 30_000 } }));
 * const rows = useResources(zones);
 * ```
 *
 * What `make` throws is thrown to the nearest error boundary.
 */
export function useResourceCache<T extends object = Record<string, Json>>(
  make: () => ResourceCache<T> | Promise<ResourceCache<T>>,
  deps: DependencyList = NO_ROWS,
): MaybeCache<T> {
  const [made, setMade] = useState<{ readonly cache?: ResourceCache<T>; readonly problem?: unknown }>({});
  useEffect(() => {
    let unwanted = false;
    let own: ResourceCache<T> | undefined;
    const making = async () => {
      await init();
      // StrictMode takes the first effect back before this.
      if (unwanted) return;
      own = await make();
      if (unwanted) own.close();
      else setMade({ cache: own });
    };
    making().catch((problem: unknown) => {
      if (!unwanted) setMade({ problem });
    });
    return () => {
      unwanted = true;
      own?.close();
      setMade({});
    };
  }, deps);
  if ("problem" in made) throw made.problem;
  return made.cache;
}

/**
 * Resources as rows on which nothing goes on, for `useResources` to show while there is no cache. `identifier` names the
 * field with the id. Their keys are none of a cache's: where rows are not to mount anew, take the id as React's `key`.
 */
export function rowsOf<T extends object>(
  resources: readonly T[],
  identifier: keyof T = "id" as keyof T,
): readonly Row<T>[] {
  return resources.map((value, place) => ({
    key: -1 - place,
    id: String(value[identifier]),
    value,
    state: "idle",
    visible: true,
  }));
}

/** Hidden rows change in calls that change no visible one. */
function useCalls<T extends object>(cache: MaybeCache<T>): (changed: () => void) => () => void {
  return useCallback((changed) => cache?.afterCalls(changed) ?? nothing, [cache]);
}

function rowOf<T extends object>(cache: MaybeCache<T>, id: string): Row<T> | undefined {
  return cache === undefined || cache.isClosed ? undefined : cache.getOne(id);
}

function noRow(): undefined {
  return undefined;
}

function nothing(): void {}

/** TanStack Query with a cache between `queryFn` and the view. */

import type { ResourceCache } from "../cache.js";
import type { Answer, Coverage, Row } from "../types.js";

/** What of a `QueryClient` is used, of any version from 5 on. */
export interface QueryClientLike {
  getQueryCache(): { find(filters: { queryKey: readonly unknown[]; exact: true }): QueryLike | undefined };
  setQueryData(queryKey: readonly unknown[], data: unknown, options: { updatedAt: number }): unknown;
}

/** What of a query is used. */
export interface QueryLike {
  readonly state: {
    readonly data: unknown;
    readonly dataUpdatedAt: number;
    readonly isInvalidated: boolean;
  };
  invalidate(): void;
}

/** Of what a query is made. */
export interface ResourceQuery<T extends object, Key extends readonly unknown[]> {
  /** The client in which the query is. */
  readonly client: QueryClientLike;
  readonly queryKey: Key;
  /** The cache, or the promise of one: `ResourceCache.create()`. */
  readonly cache: ResourceCache<T> | Promise<ResourceCache<T>>;
  /** Calls the server for its list. Hand the signal on to `fetch`. */
  readonly list: (context: { readonly signal: AbortSignal }) => Promise<Response | Answer<T>>;
  /** What part of the collection that list is. Default all of it. */
  readonly coverage?: Coverage;
  /** Every how many milliseconds the list is asked for while something is unsettled. Default never. */
  readonly poll?: number;
}

/** Options for `useQuery`, `queryClient.fetchQuery` and their like. */
export interface ResourceQueryOptions<T extends object, Key extends readonly unknown[]> {
  readonly queryKey: Key;
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<readonly Row<T>[]>;
  readonly structuralSharing: false;
  readonly refetchInterval: () => number | false;
}

/** The queries that each cache keeps up to date, by client and key. */
const followed = new WeakMap<object, WeakMap<QueryClientLike, Set<string>>>();

/**
 * The options of a query whose data are the visible rows of a cache. What the server answers is merged into the cache,
 * and what the cache shows is the query's data, also after each verb: a refetch undoes nothing that the user did, and
 * nothing is to be cancelled, set or rolled back around a mutation.
 *
 * ```ts
 * const zones = ResourceCache.create<Zone>();
 * const options = resourceQuery({
 *   client,
 *   queryKey: ["zones"],
 *   cache: zones,
 *   list: ({ signal }) => fetch("/zones", { signal }),
 * });
 * const { data: rows = [] } = useQuery(options);
 * const remove = useMutation({
 *   mutationFn: async (id: string) => (await zones).deleting(id, () => api.delete(id)),
 * });
 * ```
 */
export function resourceQuery<T extends object, const Key extends readonly unknown[]>(
  query: ResourceQuery<T, Key>,
): ResourceQueryOptions<T, Key> {
  const { client, queryKey, list, coverage = "complete", poll } = query;
  let cache: ResourceCache<T> | undefined;
  const opened = async () => {
    cache = await query.cache;
    follow(cache, client, queryKey);
    return cache;
  };
  if (!isPromise(query.cache)) {
    cache = query.cache;
    follow(cache, client, queryKey);
  }
  return {
    queryKey,
    async queryFn({ signal }) {
      const own = await opened();
      await own.fetching(() => list({ signal }), { coverage });
      return own.getSnapshot();
    },
    // Rows that did not change are the same objects already.
    structuralSharing: false,
    refetchInterval: () =>
      poll !== undefined && cache?.isClosed === false && cache.shouldPoll ? poll : false,
  };
}

/** Hands a cache's rows to a query, whenever they change, for as long as the cache is open. */
function follow<T extends object>(
  cache: ResourceCache<T>,
  client: QueryClientLike,
  queryKey: readonly unknown[],
): void {
  const clients = followed.get(cache) ?? new WeakMap<QueryClientLike, Set<string>>();
  followed.set(cache, clients);
  const keys = clients.get(client) ?? new Set();
  clients.set(client, keys);
  const name = JSON.stringify(queryKey);
  if (keys.has(name)) return;
  keys.add(name);
  cache.subscribe(() => hand(cache.getSnapshot(), client, queryKey));
}

function hand(rows: readonly unknown[], client: QueryClientLike, queryKey: readonly unknown[]): void {
  const query = client.getQueryCache().find({ queryKey, exact: true });
  // One that has fetched nothing yet takes the rows when it has; one that is no more is not made anew.
  if (query?.state.data === undefined || query.state.data === rows) return;
  const { dataUpdatedAt, isInvalidated } = query.state;
  // It is not fresher for what the user did.
  client.setQueryData(queryKey, rows, { updatedAt: dataUpdatedAt });
  if (isInvalidated) query.invalidate();
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}

import { QueryClient, QueryObserver } from "@tanstack/query-core";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { init, ManualClock, ResourceCache, type Row } from "resourcecache";
import { resourceQuery } from "resourcecache/tanstack";

interface Zone {
  readonly id: string;
  readonly name?: string;
}

const A = { id: "a", name: "one" };
const B = { id: "b", name: "two" };

let client: QueryClient;
beforeEach(async () => {
  await init();
  client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
});
afterEach(() => client.clear());

/** A server whose list lags, and a query of it. */
function world(list: () => Promise<readonly Zone[]> = async () => [A, B]) {
  const clock = new ManualClock(1_000_000_000_000);
  const cache = new ResourceCache<Zone>({ clock });
  const options = resourceQuery({ client, queryKey: ["zones"], cache, list });
  const ids = () => client.getQueryData<readonly Row<Zone>[]>(["zones"])?.map((row) => row.id);
  return { cache, clock, options, ids };
}

it("a refetch undoes optimistic state without a cache, and not with one", async () => {
  const naive = new QueryObserver(client, { queryKey: ["naive"], queryFn: async () => [A, B] });
  await naive.refetch();
  client.setQueryData<Zone[]>(["naive"], (zones) => zones?.filter((zone) => zone.id !== "a"));
  await client.refetchQueries({ queryKey: ["naive"] });
  expect(client.getQueryData<Zone[]>(["naive"])).toEqual([A, B]);

  const { cache, options, ids } = world();
  await client.fetchQuery(options);
  expect(ids()).toEqual(["a", "b"]);
  cache.markAsDeleting("a");
  expect(ids()).toEqual(["b"]);
  await client.fetchQuery({ ...options, staleTime: 0 });
  expect(ids()).toEqual(["b"]);
});

it("an answer that was asked for before a mutation ended does no harm", async () => {
  const answers: ((zones: readonly Zone[]) => void)[] = [];
  const { cache, options } = world(() => new Promise((answer) => answers.push(answer)));
  const first = client.fetchQuery(options);
  await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 10_000 });
  answers[0]?.([A, B]);
  await first;
  const refetched = client.fetchQuery({ ...options, staleTime: 0 });
  await vi.waitFor(() => expect(answers).toHaveLength(2), { timeout: 10_000 });
  await cache.deleting("a", () => Promise.resolve());
  await cache.updating("b", { name: "2" }, async () => ({ id: "b", name: "2" }));
  answers[1]?.([A, B]);
  const rows = await refetched;
  expect(rows.map((row) => row.value)).toEqual([{ id: "b", name: "2" }]);
});

it("an answer decides by when it was asked for", async () => {
  const answers: ((zones: readonly Zone[]) => void)[] = [];
  const { cache, clock, options } = world(() => new Promise((answer) => answers.push(answer)));
  cache.merge([A, B]);
  cache.markAsDeleting("a");
  const asked = client.fetchQuery(options);
  await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 10_000 });
  // It comes after the deletion's time, and was asked for within.
  clock.advance(61_000);
  answers[0]?.([A, B]);
  expect((await asked).map((row) => row.id)).toEqual(["b"]);
});

it("a mutation that fails shows the server's word, without a rollback by hand", async () => {
  const { cache, options, ids } = world();
  await client.fetchQuery(options);
  const refused = cache.deleting("a", () => Promise.reject(new Error("in use")));
  expect(ids()).toEqual(["b"]);
  await expect(refused).rejects.toThrow("in use");
  expect(ids()).toEqual(["a", "b"]);
});

it("unchanged rows stay the same objects", async () => {
  const { cache, options } = world();
  const before = await client.fetchQuery(options);
  cache.markAsUpdating("b", { name: "2" });
  const after = client.getQueryData<readonly Row<Zone>[]>(["zones"]);
  expect(after?.[0]).toBe(before[0]);
  expect(after?.[1]).not.toBe(before[1]);
  expect(after).toBe(cache.getSnapshot());
});

it("what the user does makes a query neither fresher nor valid", async () => {
  const { cache, options } = world();
  await client.fetchQuery(options);
  const state = () => client.getQueryState(["zones"]);
  const updated = state()?.dataUpdatedAt;
  await client.invalidateQueries({ queryKey: ["zones"], refetchType: "none" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  cache.markAsDeleting("a");
  expect(state()).toMatchObject({ dataUpdatedAt: updated, isInvalidated: true, status: "success" });
});

it("a query that has fetched nothing, or is no more, is left alone", async () => {
  const { cache, options, ids } = world();
  cache.merge([A, B]);
  cache.markAsDeleting("a");
  expect(client.getQueryState(["zones"])).toBeUndefined();
  await client.fetchQuery(options);
  expect(ids()).toEqual(["b"]);
  client.removeQueries({ queryKey: ["zones"] });
  cache.revert("a");
  expect(client.getQueryState(["zones"])).toBeUndefined();
});

it("a list call that fails is the query's error, and the rows stay", async () => {
  let fails = false;
  const { cache, options, ids } = world(() =>
    fails ? Promise.reject(new Error("503")) : Promise.resolve([A, B]),
  );
  const observer = new QueryObserver(client, options);
  await observer.refetch();
  fails = true;
  await observer.refetch();
  expect(client.getQueryState(["zones"])).toMatchObject({ status: "error", error: new Error("503") });
  cache.markAsDeleting("a");
  expect(ids()).toEqual(["b"]);
});

it("options may be made anew with each render", async () => {
  const { cache, options } = world();
  await client.fetchQuery(options);
  let told = 0;
  client.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "success") told += 1;
  });
  const listening = vi.spyOn(cache, "subscribe");
  for (let render = 0; render < 3; render += 1) {
    resourceQuery({ client, queryKey: ["zones"], cache, list: async () => [A, B] });
  }
  expect(listening).not.toHaveBeenCalled();
  cache.markAsDeleting("a");
  expect(told).toBe(1);
});

describe("polling", () => {
  it("goes on while something is unsettled", async () => {
    const cache = new ResourceCache<Zone>({ clock: new ManualClock(1_000_000_000_000) });
    const options = resourceQuery({ client, queryKey: ["p"], cache, list: async () => [A, B], poll: 3_000 });
    await client.fetchQuery(options);
    expect(options.refetchInterval()).toBe(false);
    cache.markAsDeleting("a");
    expect(options.refetchInterval()).toBe(3_000);
    cache.close();
    expect(options.refetchInterval()).toBe(false);
  });

  it("is off unless it is asked for", async () => {
    const { cache, options } = world();
    await client.fetchQuery(options);
    cache.markAsDeleting("a");
    expect(options.refetchInterval()).toBe(false);
  });
});

it("takes the promise of a cache, and a part of a list", async () => {
  const zones = ResourceCache.create<Zone>();
  const lists = [[A, B], [{ ...A, name: "1" }]];
  const options = resourceQuery({
    client,
    queryKey: ["zones", 1] as const,
    cache: zones,
    list: async ({ signal }) => {
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return JSON.stringify(lists.shift());
    },
    coverage: { ids: ["a"] },
  });
  const rows = await client.fetchQuery(options);
  expectTypeOf(rows).toEqualTypeOf<readonly Row<Zone>[]>();
  expect(rows.map((row) => row.id)).toEqual(["a", "b"]);
  expect((await client.fetchQuery({ ...options, staleTime: 0 })).map((row) => row.value.name)).toEqual([
    "1",
    "two",
  ]);
  (await zones).close();
});

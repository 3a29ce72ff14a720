import { IDBDatabase as FakeDatabase } from "fake-indexeddb";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AlreadyExistsError, BadInputError, ManualClock, NotFoundError } from "../../src/index.js";
import { forget, openPersistent, type StoreError } from "../../src/persistence/index.js";
import { openShared, type Shared, type SharedOptions } from "../../src/tabs/index.js";
import { RULES } from "../../src/tabs/ledger.js";
import { watch, type Receiver } from "../../src/watching/index.js";
import { breakWrites, channels, Locks, settle, storage, withRanges } from "./world.js";

interface Zone {
  readonly id: string;
  readonly n?: number;
}

let clock: ManualClock;
let indexedDB: IDBFactory;
let problems: StoreError[];
let BroadcastChannel: NonNullable<SharedOptions["BroadcastChannel"]>;
let locks: Locks;
let tabs: Shared<Zone>[];

beforeEach(() => {
  withRanges();
  clock = new ManualClock(1_000_000);
  indexedDB = storage() as unknown as IDBFactory;
  problems = [];
  BroadcastChannel = channels();
  locks = new Locks();
  tabs = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const tab of tabs) await tab.close();
  vi.unstubAllGlobals();
});

async function open(more: SharedOptions = {}): Promise<Shared<Zone>> {
  const onError = (problem: StoreError) => problems.push(problem);
  const tab = await openShared<Zone>("zones", {
    clock,
    indexedDB,
    BroadcastChannel,
    locks,
    onError,
    ...more,
  });
  tabs.push(tab);
  return tab;
}

const ids = ({ cache }: Shared<Zone>) => cache.getSnapshot().map((row) => row.id);
const states = () => tabs.map(({ cache }) => cache.save());
const kinds = () => problems.map(({ problem }) => problem);

describe("a shared cache", () => {
  it("shows in each tab what another has changed, and is the same to the last byte", async () => {
    const [one, two] = [await open(), await open()];
    await one.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    await settle();
    expect(ids(two)).toEqual(["a", "b"]);
    const { operations } = await two.update((cache) => cache.markAsDeleting("a"));
    await settle();
    expect(ids(one)).toEqual(["b"]);
    await one.update((cache) => cache.fail(operations[0] ?? 0, "in use"));
    await settle();
    expect(ids(two)).toEqual(["a", "b"]);
    const three = await open();
    expect(ids(three)).toEqual(["a", "b"]);
    expect(new Set(states()).size).toBe(1);
    expect(problems).toEqual([]);
  });

  it("begins no two operations under one number, though both tabs begin at once", async () => {
    const [one, two] = [await open(), await open()];
    await one.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    const begun = await Promise.all([
      one.update((cache) => cache.markAsDeleting("a").operations[0]),
      two.update((cache) => cache.markAsDeleting("b").operations[0]),
    ]);
    expect(new Set(begun).size).toBe(2);
    await two.sync();
    await one.sync();
    expect(new Set(states()).size).toBe(1);
  });

  it("is refused by the same rules as by one cache, on top of what others did: nothing is lost", async () => {
    const [one, two] = [await open(), await open()];
    const first = one.update((cache) => cache.addAsCreating({ id: "a", n: 1 }));
    const second = two.update((cache) => cache.addAsCreating({ id: "a", n: 2 }));
    await first;
    await expect(second).rejects.toBeInstanceOf(AlreadyExistsError);
    expect(two.cache.getOne("a")?.value.n).toBe(1);
  });

  it("keeps the objects of rows that another tab has not changed", async () => {
    const [one, two] = [await open(), await open()];
    await one.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    await two.sync();
    const before = two.cache.getSnapshot();
    await one.update((cache) => cache.markAsUpdating("b", { n: 1 }));
    await two.sync();
    expect(two.cache.getSnapshot()[0]).toBe(before[0]);
    expect(two.cache.getSnapshot()[1]?.value).toEqual({ id: "b", n: 1 });
  });

  it("refuses to be changed outside of update, and stays as it is", async () => {
    const one = await open();
    await one.update((cache) => cache.merge([{ id: "a" }]));
    const before = one.cache.save();
    expect(() => one.cache.markAsDeleting("a")).toThrow(BadInputError);
    expect(() => one.cache.beginFetch()).toThrow("within update()");
    expect(() => one.cache.pollAttempt()).toThrow(BadInputError);
    expect(() => one.cache.replay("")).toThrow(BadInputError);
    expect(one.cache.save()).toBe(before);
  });

  it("keeps what was done before something was refused within an update", async () => {
    const [one, two] = [await open(), await open()];
    const refused = one.update((cache) => {
      cache.merge([{ id: "a" }]);
      cache.acknowledge(99);
    });
    await expect(refused).rejects.toBeInstanceOf(NotFoundError);
    await two.sync();
    expect([ids(one), ids(two)]).toEqual([["a"], ["a"]]);
  });

  it("commits what is asked for at once in one transaction", async () => {
    const transactions = vi.spyOn(FakeDatabase.prototype, "transaction");
    const one = await open();
    transactions.mockClear();
    await Promise.all([..."abcdefgh"].map((id) => one.update((cache) => cache.addAsCreating({ id }))));
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(ids(one)).toEqual([..."abcdefgh"]);
  });

  it("is opened from a whole state, and by those who are far behind", async () => {
    const one = await open({ wholeEvery: 4 });
    // This one hears nothing.
    const deaf = await open({ BroadcastChannel: null });
    expect(kinds()).toEqual(["unavailable"]);
    const near = await open();
    const rows = new Set<unknown>();
    for (let n = 0; n < 13; n += 1) {
      await one.update((cache) =>
        cache.merge(Array.from({ length: n + 1 }, (_, place) => ({ id: `z${place}` }))),
      );
      await near.sync();
      rows.add(near.cache.getSnapshot()[0]);
    }
    // One that is a little behind goes on by events, so that its rows stay the same objects.
    expect(rows.size).toBe(1);
    expect(deaf.cache.getSnapshot()).toEqual([]);
    await deaf.sync();
    const far = deaf.cache.getSnapshot();
    for (let n = 0; n < 9; n += 1) await one.update((cache) => cache.markAsUpdating("z1", { n }));
    await deaf.sync();
    expect(deaf.cache.getSnapshot()[0]).toBe(far[0]);
    expect(deaf.cache.getSnapshot()[1]?.value.n).toBe(8);
    const last = await open();
    expect(ids(last)).toHaveLength(13);
    expect(new Set(states()).size).toBe(1);
  });

  it("does what is due once, by whichever tab, and alike in all", async () => {
    await open();
    const [one, two] = [await open(), await open({ config: {} })];
    await one.update((cache) => cache.merge([{ id: "a" }]));
    const { operations } = await one.update((cache) => cache.markAsDeleting("a"));
    await two.update((cache) => cache.fail(operations[0] ?? 0, "in use"));
    await settle();
    expect(one.cache.getOne("a")?.badge?.label).toBe("in use");
    clock.advance(5_000);
    await settle(20);
    expect(tabs.map(({ cache }) => cache.getOne("a")?.badge)).toEqual([undefined, undefined, undefined]);
    expect(new Set(states()).size).toBe(1);
  });

  it("runs scopes, whose begin and end are for all tabs", async () => {
    const [one, two] = [await open(), await open()];
    await one.update((cache) => cache.merge([{ id: "a" }]));
    const deleting = one.deleting("a", async ({ operation }) => {
      await two.sync();
      expect(ids(two)).toEqual([]);
      expect(two.cache.operations("a")[0]?.operation).toBe(operation);
      throw new Error("in use");
    });
    await expect(deleting).rejects.toThrow("in use");
    await two.sync();
    expect(ids(two)).toEqual(["a"]);
    await two.creating({ id: "tmp" }, () => Promise.resolve({ id: "b" }));
    await one.sync();
    expect(ids(one)).toEqual(["a", "b"]);
  });

  it("is watched by one tab for all", async () => {
    const [one, two] = [await open(), await open()];
    const streams: Receiver[] = [];
    const work = (tab: Shared<Zone>) => (signal: AbortSignal) =>
      watch(tab, {
        list: () => Promise.resolve('[{"id":"a"}]'),
        stream: (_, to) => void streams.push(to),
        feed: { word: "/type", resource: "/zone" },
        signal,
      }).ended();
    const leading = [one.lead("watch", work(one)), two.lead("watch", work(two))];
    await settle();
    expect(streams).toHaveLength(1);
    streams[0]?.opened();
    await settle(20);
    streams[0]?.message('{"type":"added","zone":{"id":"b"}}');
    await settle(20);
    expect([ids(one), ids(two)]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    await one.close();
    await settle();
    expect(streams).toHaveLength(2);
    await two.close();
    await Promise.all(leading);
  });
});

describe("the outbox of a shared cache", () => {
  it("is sent by one tab, whichever has queued, and by another when that one is closed", async () => {
    const [one, two] = [await open(), await open()];
    const sent: string[] = [];
    const call =
      (who: string) =>
      async ({ id, key }: { id: string; key: string }) => {
        sent.push(`${who} ${id}`);
        // It is committed that it is sent.
        await two.sync();
        expect(two.cache.getOne(id)).toBeDefined();
        expect(key).not.toBe("");
      };
    const sending = [one.send(call("one")), two.send(call("two"))];
    await one.update((cache) => cache.merge([{ id: "a" }, { id: "b" }, { id: "c" }]));
    await two.update((cache) => cache.queue({ delete: "a" }));
    await settle(30);
    expect(sent).toEqual(["one a"]);
    await one.close();
    await two.update((cache) => cache.queue({ delete: "b" }));
    await settle(30);
    expect(sent).toEqual(["one a", "two b"]);
    await two.close();
    await Promise.all(sending);
    expect(problems).toEqual([]);
  });

  it("is sent again under the same key when its tab has died in the middle", async () => {
    const [one, two] = [await open(), await open()];
    const keys: string[] = [];
    void one.send(({ key }) => {
      keys.push(key);
      return new Promise(() => {});
    });
    await one.update((cache) => cache.merge([{ id: "a" }]));
    await one.update((cache) => cache.queue({ delete: "a" }));
    await settle(20);
    await one.close();
    const sending = two.send(({ key }) => {
      keys.push(key);
      return Promise.resolve();
    });
    clock.advance(30_000);
    await settle(20);
    clock.advance(2_000);
    await settle(20);
    expect(keys).toHaveLength(2);
    expect(keys[1]).toBe(keys[0]);
    expect(two.cache.state("a")).toBe("deleted");
    await two.close();
    await sending;
  });

  it("is not sent where there are no Web Locks: that is told", async () => {
    const one = await open({ locks: null });
    await expect(one.send(() => Promise.resolve())).rejects.toMatchObject({ problem: "unavailable" });
    vi.stubGlobal("navigator", {});
    const { locks: _, ...rest } = { clock, indexedDB, BroadcastChannel, locks };
    const two = await openShared<Zone>("zones", rest);
    tabs.push(two);
    await expect(two.send(() => Promise.resolve())).rejects.toThrow("there are no Web Locks here");
  });
});

describe("failures", () => {
  it("take back what could not be kept, wherever the commit breaks; it is told, and the tab goes on", async () => {
    const [one, two] = [await open({ wholeEvery: 2 }), await open()];
    await one.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    for (const how of ["throw", "abort"] as const) {
      for (const place of [0, 1, 2]) {
        problems = [];
        let writes = 0;
        const mend = breakWrites(() => (writes++ === place ? how : undefined));
        const before = one.cache.save();
        const asked = one.update((cache) => cache.markAsDeleting("a"));
        const broke = await asked.then(
          () => false,
          () => true,
        );
        mend();
        await settle();
        if (broke) {
          expect(kinds()).toEqual([how === "throw" ? "full" : "unavailable"]);
          expect(one.cache.save()).toBe(before);
          expect(ids(one)).toEqual(["a", "b"]);
        }
        const { operations } = broke ? await one.update((cache) => cache.markAsDeleting("a")) : await asked;
        await one.update((cache) => cache.cancel(operations[0] ?? 0));
        await two.sync();
        expect(new Set(states()).size).toBe(1);
      }
    }
  });

  it("of a browser without IndexedDB are told", async () => {
    vi.stubGlobal("indexedDB", undefined);
    await expect(openShared("zones")).rejects.toMatchObject({ problem: "unavailable" });
  });

  it("of other settings: the tab that opened last goes on, from what there is; the others are told, and stop", async () => {
    const one = await open();
    await one.update((cache) => cache.merge([{ id: "a" }]));
    const two = await open({ config: { ttl: 5_000 } });
    await two.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    await expect(one.update((cache) => cache.markAsDeleting("a"))).rejects.toMatchObject({
      problem: "newer",
    });
    expect([ids(two), one.failure?.problem]).toEqual([["a", "b"], "newer"]);
    await expect(one.sync()).rejects.toMatchObject({ problem: "newer" });
  });

  it("of other settings end what the tab leads, so that another one sends", async () => {
    const [one, sent] = [await open(), [] as string[]];
    const sending = one.send(({ id }) => (sent.push(`one ${id}`), Promise.resolve()));
    await one.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    await settle();
    const two = await open({ config: { ttl: 5_000 } });
    await sending;
    void two.send(({ id }) => (sent.push(`two ${id}`), Promise.resolve()));
    await two.update((cache) => cache.queue({ delete: "b" }));
    await settle(20);
    expect([sent, kinds()]).toEqual([["two b"], ["newer"]]);
  });

  it("of a newer version of the library: it is not overwritten", async () => {
    const one = await open();
    const rules = await edited((head) => ({ ...head, settings: "0.1.1 {}" }));
    expect(rules).toMatch(/^0\.1\.0 /);
    await expect(open()).rejects.toMatchObject({ problem: "newer" });
    await expect(one.sync()).rejects.toMatchObject({ problem: "newer" });
  });

  it("of a cache that was deleted meanwhile are told", async () => {
    const one = await open();
    await one.update((cache) => cache.merge([{ id: "a" }]));
    await forget("zones", { indexedDB });
    await expect(one.update((cache) => cache.markAsDeleting("a"))).rejects.toMatchObject({ problem: "gone" });
  });

  it("of a tab that was closed: what was asked of it is rejected", async () => {
    const one = await open();
    await one.close();
    await expect(one.update(() => {})).rejects.toMatchObject({ problem: "closed" });
    expect(await one.lead("x", () => Promise.resolve(1))).toBeUndefined();
  });
});

describe("with openPersistent", () => {
  it("it shares what is stored", async () => {
    const one = await open();
    await one.update((cache) => cache.merge([{ id: "a" }]));
    await one.update((cache) => cache.markAsDeleting("a"));
    const alone = await openPersistent<Zone>("zones", { clock, indexedDB, lastResort: null });
    expect(alone.cache.getSnapshot()).toEqual([]);
    await alone.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
    await alone.close();
    await expect(one.sync()).rejects.toMatchObject({ problem: "newer" });
    expect(ids(await open())).toEqual(["b"]);
  });
});

it("the rules are the package's version", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(RULES).toBe(version);
});

/** Changes the head, past the library; its settings before. */
async function edited(change: (head: { settings: string }) => unknown): Promise<string> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("resourcecache", 1);
    request.onsuccess = () => resolve(request.result);
  });
  const before = await new Promise<string>((resolve) => {
    const transaction = db.transaction("heads", "readwrite");
    const own = transaction.objectStore("heads");
    const request = own.get("zones") as IDBRequest<{ settings: string }>;
    request.onsuccess = () => own.put(change(request.result));
    transaction.oncomplete = () => resolve(request.result.settings);
  });
  db.close();
  return before;
}

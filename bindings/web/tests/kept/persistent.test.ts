import { IDBObjectStore } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock, send } from "../../src/index.js";
import { forget, openPersistent, StoreError, type PersistentOptions } from "../../src/persistence/index.js";
import { breakWrites, Notes, settle, storage, withRanges } from "./world.js";

interface Zone {
  readonly id: string;
  readonly n?: number;
}

let clock: ManualClock;
let indexedDB: IDBFactory;
let notes: Notes;
let problems: StoreError[];

beforeEach(() => {
  withRanges();
  clock = new ManualClock(1_000_000);
  indexedDB = storage() as unknown as IDBFactory;
  notes = new Notes();
  problems = [];
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const open = (more: PersistentOptions = {}) =>
  openPersistent<Zone>("zones", {
    clock,
    indexedDB,
    lastResort: notes,
    onError: (problem) => problems.push(problem),
    ...more,
  });

type Opened = Awaited<ReturnType<typeof open>>;
const ids = ({ cache }: Opened) => cache.getSnapshot().map((row) => row.id);
const kinds = () => problems.map(({ problem }) => problem);

/** A page that may be hidden and left. */
function page() {
  const events = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
  vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
  vi.stubGlobal("document", document);
  return {
    leave: () => events.dispatchEvent(new Event("pagehide")),
    hide: () => {
      document.visibilityState = "hidden";
      document.dispatchEvent(new Event("visibilitychange"));
    },
  };
}

describe("a persistent cache", () => {
  it("is there again as it was: what is hidden stays hidden, keys and operations stay", async () => {
    const first = await open();
    expect(first.wasRestored).toBe(false);
    first.cache.merge([{ id: "a" }, { id: "b", n: 1 }]);
    const [operation = 0] = first.cache.markAsDeleting("a").operations;
    const state = first.cache.save();
    const [row] = first.cache.getSnapshot();
    await first.close();
    const again = await open();
    expect(again.wasRestored).toBe(true);
    // What was due is looked at, which counts as a call.
    const calls = (text: string) => (JSON.parse(text) as { seq: number }).seq;
    expect(again.cache.save()).toBe(state.replace(/"seq":\d+/, `"seq":${calls(state) + 1}`));
    expect(again.cache.getSnapshot()).toEqual([row]);
    again.cache.merge([{ id: "a" }, { id: "b", n: 1 }]);
    expect(ids(again)).toEqual(["b"]);
    again.cache.fail(operation, "refused");
    expect(ids(again)).toEqual(["a", "b"]);
    expect(problems).toEqual([]);
  });

  it("is saved a while after a change, once for all that was changed meanwhile", async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, "put");
    const kept = await open({ delay: 100 });
    kept.cache.merge([{ id: "a" }]);
    clock.advance(60);
    kept.cache.markAsUpdating("a", { n: 1 });
    expect(kept.isSaved).toBe(false);
    clock.advance(39);
    await settle();
    expect(put).toHaveBeenCalledTimes(0);
    clock.advance(1);
    await settle();
    expect(kept.isSaved).toBe(true);
    expect(put).toHaveBeenCalledTimes(2); // the head and the state
    clock.advance(1_000);
    await settle();
    expect(put).toHaveBeenCalledTimes(2);
  });

  it("answers when it is saved, so that nothing is sent that was not", async () => {
    const kept = await open();
    kept.cache.merge([{ id: "a" }]);
    await kept.update((cache) => cache.queue({ delete: "a" }));
    const keys: string[] = [];
    const stop = new AbortController();
    const sent = new Promise<void>((resolve) => {
      void send(
        kept,
        async ({ key, operation }) => {
          keys.push(key);
          const other = await open({ lastResort: null });
          expect(other.cache.attemptOf(operation)?.key).toBe(key);
          await other.close();
          stop.abort();
          resolve();
        },
        { signal: stop.signal },
      );
    });
    await sent;
    expect(keys).toHaveLength(1);
  });

  it("keeps something of the same moment beside the state", async () => {
    let position = { version: "7" };
    const kept = await open({ beside: () => position });
    kept.cache.merge([]);
    await kept.saved();
    position = { version: "8" };
    const again = await open();
    expect(again.beside).toEqual({ version: "7" });
  });

  it("is a new one after it was forgotten", async () => {
    const kept = await open();
    await kept.update((cache) => cache.merge([{ id: "a" }]));
    await kept.close();
    await forget("zones", { indexedDB, lastResort: notes });
    expect((await open()).wasRestored).toBe(false);
  });
});

describe("failures", () => {
  it("leave what was saved before whole, wherever a save breaks; it is told, and tried again", async () => {
    for (const how of ["throw", "abort"] as const) {
      for (const place of [0, 1]) {
        const name = `${how} ${place}`;
        problems = [];
        const openOne = () =>
          openPersistent<Zone>(name, {
            clock,
            indexedDB,
            lastResort: notes,
            onError: (p) => problems.push(p),
          });
        const kept = await openOne();
        await kept.update((cache) => cache.merge([{ id: "a" }]));
        let writes = 0;
        const mend = breakWrites(() => (writes++ === place ? how : undefined));
        kept.cache.merge([{ id: "a" }, { id: "b" }]);
        await expect(kept.saved()).rejects.toBeInstanceOf(StoreError);
        expect(kinds()).toEqual([how === "throw" ? "full" : "unavailable"]);
        mend();
        const crashed = await openOne();
        expect(ids(crashed)).toEqual(["a"]);
        clock.advance(1_000);
        await settle();
        expect([kept.isSaved, kept.failure]).toEqual([true, undefined]);
        expect(ids(await openOne())).toEqual(["a", "b"]);
      }
    }
  });

  it("are told once, and waited for longer each time", async () => {
    const kept = await open({ delay: 0 });
    let tries = 0;
    const mend = breakWrites(() => (tries++, "throw"));
    kept.cache.merge([{ id: "a" }]);
    clock.advance(0);
    await settle();
    for (const wait of [1_000, 2_000, 4_000]) {
      const before = tries;
      clock.advance(wait - 1);
      await settle();
      expect(tries).toBe(before);
      clock.advance(1);
      await settle();
      expect(tries).toBe(before + 1);
    }
    expect(kinds()).toEqual(["full"]);
    mend();
    await kept.saved();
    expect(kept.isSaved).toBe(true);
  });

  it("of another tab that has saved since: the second is refused and told, with its state, and stops", async () => {
    const [one, two] = [await open(), await open({ lastResort: null })];
    await one.update((cache) => cache.merge([{ id: "a" }]));
    await expect(two.update((cache) => cache.merge([{ id: "b" }]))).rejects.toMatchObject({
      problem: "conflict",
    });
    expect(kinds()).toEqual(["conflict"]);
    expect(problems[0]?.state).toBe(two.cache.save());
    clock.advance(100_000);
    await settle();
    expect(kinds()).toEqual(["conflict"]);
    expect(ids(await open())).toEqual(["a"]);
  });

  it("of a newer version: it is not read, and not overwritten", async () => {
    const kept = await open();
    await kept.update((cache) => cache.merge([{ id: "a" }]));
    await edit("heads", (head) => ({ ...head, format: 2 }));
    await expect(open()).rejects.toMatchObject({ problem: "newer" });
    await expect(kept.update((cache) => cache.merge([]))).rejects.toMatchObject({ problem: "newer" });
    await edit("heads", (head) => ({ ...head, format: 1 }));
    expect(ids(await open())).toEqual(["a"]);
  });

  it("of a newer version's database: this one makes way for it", async () => {
    const kept = await open();
    await kept.update((cache) => cache.merge([{ id: "a" }]));
    const newer = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("resourcecache", 2);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error("blocked"));
    });
    await expect(kept.update((cache) => cache.merge([]))).rejects.toMatchObject({ problem: "newer" });
    await expect(open()).rejects.toMatchObject({ problem: "newer" });
    newer.close();
  });

  it("of what cannot be read: it is left as it is", async () => {
    const kept = await open();
    await kept.update((cache) => cache.merge([{ id: "a" }]));
    await kept.close();
    await edit("states", (state) => ({ ...state, state: '{"version":1' }));
    await expect(open()).rejects.toMatchObject({ problem: "damaged" });
    await expect(open()).rejects.toMatchObject({ problem: "damaged" });
    await edit("states", (state) => ({ ...state, state: '{"version":99,"rows":[]}' }));
    await expect(open()).rejects.toBeInstanceOf(StoreError);
  });

  it("of a browser that has no IndexedDB, or forbids it", async () => {
    vi.stubGlobal("indexedDB", undefined);
    await expect(openPersistent("zones")).rejects.toMatchObject({ problem: "unavailable" });
    const forbidden = {
      open() {
        throw new DOMException("not in private mode", "SecurityError");
      },
    };
    const asked = openPersistent("zones", { indexedDB: forbidden as unknown as IDBFactory });
    await expect(asked).rejects.toMatchObject({ problem: "unavailable" });
    await expect(asked).rejects.toThrow("zones: IndexedDB cannot be used: not in private mode");
  });

  it("of a cache that was closed before it was saved, are told", async () => {
    const kept = await open();
    kept.cache.merge([{ id: "a" }]);
    kept.cache.close();
    expect(kinds()).toEqual(["closed"]);
  });
});

describe("a page that goes away", () => {
  /** As if the process ended: no transaction of this tab's is done any more. */
  const killed = () => breakWrites(() => "abort");

  for (const how of ["leave", "hide"] as const) {
    it(`leaves its last words (${how}), which are taken once, also when IndexedDB never got them`, async () => {
      const own = page();
      const kept = await open();
      await kept.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]));
      kept.cache.markAsDeleting("a");
      const mend = killed();
      own[how]();
      await settle();
      mend();
      vi.unstubAllGlobals();
      withRanges();
      const again = await open();
      expect(ids(again)).toEqual(["b"]);
      await again.saved();
      expect(notes.all.size).toBe(0);
      expect(ids(await open())).toEqual(["b"]);
    });
  }

  it("begins a save at once, and needs no last words where that was done", async () => {
    const own = page();
    const kept = await open();
    kept.cache.merge([{ id: "a" }]);
    own.leave();
    expect(notes.all.size).toBe(1);
    const words = new Map(notes.all);
    await settle();
    expect([kept.isSaved, notes.all.size]).toEqual([true, 0]);
    // The page ended between the two: both are there.
    for (const [key, text] of words) notes.setItem(key, text);
    const again = await open();
    expect([ids(again), again.isSaved, kinds()]).toEqual([["a"], true, []]);
    expect(notes.all.size).toBe(0);
  });

  it("keeps its last words over a save that was under way", async () => {
    const own = page();
    const kept = await open();
    kept.cache.merge([{ id: "a" }]);
    const saving = kept.saved();
    kept.cache.merge([{ id: "a" }, { id: "b" }]);
    own.leave();
    await saving;
    expect(notes.all.size).toBe(1);
    expect(ids(await open())).toEqual(["a", "b"]);
    expect(kinds()).toEqual([]);
  });

  it("does not have its last words taken over what another tab has saved since: they are told", async () => {
    const own = page();
    const kept = await open();
    await kept.update((cache) => cache.merge([{ id: "a" }]));
    kept.cache.merge([{ id: "lost" }]);
    const mend = killed();
    own.leave();
    await settle();
    mend();
    const words = new Map(notes.all);
    notes.all.clear();
    problems = [];
    const other = await open();
    await other.update((cache) => cache.merge([{ id: "b" }]));
    for (const [key, text] of words) notes.setItem(key, text);
    const again = await open();
    expect([ids(again), kinds()]).toEqual([["b"], ["conflict"]]);
    expect(problems[0]?.state).toContain("lost");
  });

  it("tells when there is no room for its last words", async () => {
    const own = page();
    notes.room = 10;
    const kept = await open();
    kept.cache.merge([{ id: "a" }]);
    own.leave();
    expect(kinds()).toEqual(["full"]);
    await settle();
    expect(kept.isSaved).toBe(true);
  });
});

/** Changes what is stored, past the library. */
async function edit(store: string, change: (value: Record<string, unknown>) => unknown): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("resourcecache", 1);
    request.onsuccess = () => resolve(request.result);
  });
  await new Promise<void>((resolve) => {
    const transaction = db.transaction(store, "readwrite");
    const own = transaction.objectStore(store);
    const request = own.get("zones");
    request.onsuccess = () => own.put(change(request.result as Record<string, unknown>));
    transaction.oncomplete = () => resolve();
  });
  db.close();
}

import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  BadSnapshotError,
  BatchError,
  init,
  ManualClock,
  ResourceCache,
  systemClock,
  TransitionError,
  type Changes,
  type Options,
} from "../src/index.js";
import { ids, type Zone, zones as empty } from "./zones.js";

const LISTED = [
  { id: "a", name: "one" },
  { id: "b", name: "two" },
  { id: "c", name: "three" },
];

/** The same with three zones listed. */
function zones(options: Options = {}) {
  const made = empty(options);
  made.cache.merge(LISTED);
  return made;
}

beforeAll(() => init());

describe("what a call is told", () => {
  it("least guards as long as it says (G1)", () => {
    const { cache } = zones({ config: { ttl: 1_000 } });
    cache.markAsUpdating("a", { name: "x" }, 7_000);
    cache.addAsCreating({ id: "n" }, 8_000);
    cache.batchMarkAsProcessing(["b"], "deleting", 9_000);
    cache.perform("Delete 1 zone", [{ delete: "c", minTtl: 10_000 }]);
    const least = ["a", "n", "b", "c"].map((id) => cache.getOne(id)?.meta?.minTtl);
    expect(least).toEqual([7_000, 8_000, 9_000, 10_000]);
  });

  it("is old after five minutes, unless it is said (K1)", () => {
    const { cache, clock } = zones({ timers: false, config: { ttl: 1_000, staleAfter: 3_600_000 } });
    cache.markAsProcessing("a", "processing");
    clock.set(1_000_000 + 299_000);
    expect(cache.cleanupStaleOperations().outcomes).toEqual([]);
    expect(cache.cleanupStaleOperations(200_000.4).outcomes).toMatchObject([
      { id: "a", settlement: "stale" },
    ]);
  });

  it("is retried when it says so", () => {
    const { cache } = zones({ config: { retryBackoff: 3_000 } });
    const failed = (retry: Parameters<typeof cache.fail>[2]) => {
      const [operation = 0] = cache.markAsProcessing("a", "processing").operations;
      cache.fail(operation, "no", retry);
      const at =
        cache.getOne("a")?.meta?.status === "retrying" ? (cache.nextTimeout ?? 0) - 1_000_000 : "failed";
      cache.revert("a");
      return at;
    };
    expect(failed(false)).toBe("failed");
    expect(failed(true)).toBe(3_000);
    expect(failed({ after: 1_234.4 })).toBe(1_234);
    expect(failed({ status: 404 })).toBe("failed");
    expect(failed({ status: 503, retryAfter: 7_000.4 })).toBe(7_000);
  });

  it("covers a part of the list (S3)", () => {
    const { cache } = zones();
    cache.merge([{ id: "b", name: "2" }], { coverage: { ids: ["b", "c"] } });
    expect(ids(cache)).toEqual(["a", "b"]);
    cache.merge([], { coverage: { after: "a", before: null } });
    expect(ids(cache)).toEqual(["a"]);
    cache.merge(new TextEncoder().encode(JSON.stringify(LISTED)).buffer, { coverage: "complete" });
    expect(ids(cache)).toEqual(["a", "b", "c"]);
  });

  it("may wait before it is sent", () => {
    const { cache, clock } = zones();
    expect(cache.queue({ delete: "a" }, 500).operations.length).toBe(1);
    cache.queue({ delete: "b", sendAfter: 0 }, 500);
    expect(cache.queued).toBe(2);
    expect(cache.pollAttempt()?.id).toBe("b");
    expect(cache.pollAttempt()).toBeUndefined();
    clock.advance(500);
    expect(cache.pollAttempt()?.id).toBe("a");
    cache.queue({ update: "c", patch: { name: "3" } });
    expect(cache.pollAttempt()?.resource).toEqual({ id: "c", name: "3" });
    cache.setOnline(false);
    expect(cache.isOnline).toBe(false);
  });

  it("comes from a list of version 1.0, and goes into one (M1)", () => {
    const marked = [
      { id: "a", _meta: { status: "updating" as const, updatedAt: "1970-01-01T00:16:40.000Z" } },
    ];
    for (const list of [marked, JSON.stringify(marked)]) {
      const cache = new ResourceCache<Zone>({ clock: new ManualClock(1_000_000) });
      cache.importV1(list);
      expect(cache.getOne("a")?.meta?.status).toBe("updating");
      expect(JSON.parse(cache.listV1())).toMatchObject([{ id: "a", _meta: { status: "updating" } }]);
    }
  });
});

describe("what is answered", () => {
  it("since a revision", () => {
    const { cache } = zones({ config: { changeLog: 2 } });
    const { revision } = cache;
    cache.markAsDeleting("a");
    const changes = cache.changesSince(revision);
    expect(changes).toMatchObject({ removed: [{ id: "a" }], upserted: [], operations: [], conflicts: [] });
    for (let n = 0; n < 5; n += 1) cache.revert(cache.markAsDeleting("b") && "b");
    expect(cache.changesSince(revision)).toBeUndefined();
  });

  it("of when to ask the server again", () => {
    const { cache, clock } = zones({ config: { ttl: 10_000 } });
    expect([cache.shouldPoll, cache.nextPoll]).toEqual([false, undefined]);
    const [operation = 0] = cache.markAsDeleting("a").operations;
    cache.acknowledge(operation);
    expect(cache.shouldPoll).toBe(true);
    const soonest = cache.nextPoll ?? 0;
    expect(soonest).toBeGreaterThanOrEqual(clock.now());
    clock.advance(60_000);
    expect(cache.nextPoll).toBeGreaterThanOrEqual(clock.now());
  });

  it("of steps that can be redone", () => {
    const { cache } = zones();
    cache.perform("Delete a zone", [{ delete: "a" }]);
    expect([cache.undoLabel, cache.redoLabel]).toEqual(["Delete a zone", undefined]);
    cache.undo();
    expect([cache.undoLabel, cache.redoLabel]).toEqual([undefined, "Delete a zone"]);
    expect([cache.undoLabels(), cache.redoLabels()]).toEqual([[], ["Delete a zone"]]);
    cache.redo();
    expect(ids(cache)).toEqual(["b", "c"]);
    cache.clearHistory();
    expect(cache.undoLabels()).toEqual([]);
  });

  it("by errors that say what they are about", () => {
    const { cache } = zones();
    cache.markAsDeleting("a");
    const thrown = (act: () => unknown): unknown => {
      try {
        act();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const transition = thrown(() => cache.markAsUpdating("a", { name: "x" }));
    expect(transition).toBeInstanceOf(TransitionError);
    expect(transition).toMatchObject({ name: "TransitionError", resource: "a", state: "deleting" });
    expect(transition).toHaveProperty("trigger", expect.stringMatching(/update/));
    const batch = thrown(() => cache.batchMarkAsProcessing(["b", "a"], "updating"));
    expect(batch).toBeInstanceOf(BatchError);
    expect(batch).toMatchObject({ resource: "a", kind: "transition" });
    const list = thrown(() => cache.merge('[{"id":"a"},{}]'));
    expect(list).toBeInstanceOf(BadSnapshotError);
    expect(list).toMatchObject({ position: 1 });
    expect(thrown(() => cache.merge("{"))).toMatchObject({ position: undefined, kind: "bad_snapshot" });
    expect(thrown(() => cache.markAsDeleting("a", Number.NaN))).toMatchObject({ subject: "minTtl" });
  });
});

describe("who follows", () => {
  it("hears of outcomes and warnings too, and listeners only of rows", () => {
    const { cache } = zones();
    const told: Changes<Zone>[] = [];
    const listener = vi.fn();
    cache.onChanges((changes) => told.push(changes));
    cache.subscribe(listener);
    cache.markAsDeleting("a");
    expect(listener).toHaveBeenCalledTimes(1);
    cache.merge(LISTED.slice(1));
    expect(told.at(-1)?.outcomes).toMatchObject([{ id: "a", settlement: "confirmed" }]);
    cache.merge([LISTED[1], LISTED[2], LISTED[1]] as Zone[]);
    expect(told.at(-1)?.warnings).toHaveLength(1);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(told).toHaveLength(3);
    cache.merge(LISTED.slice(1));
    expect(told).toHaveLength(3);
  });

  it("hears of what an undo left alone", () => {
    const { cache } = zones();
    cache.perform("Delete a zone", [{ delete: "a" }]);
    cache.merge(LISTED.slice(1));
    const told: Changes<Zone>[] = [];
    cache.onChanges((changes) => told.push(changes));
    cache.merge(LISTED.slice(1));
    cache.perform("Rename a zone", [{ update: "b", patch: { name: "2" } }]);
    cache.merge([{ id: "c" }]);
    const { conflicts } = cache.undo();
    expect(conflicts).toMatchObject([
      { id: "b", reason: "gone", text: expect.stringMatching(/^b: /) as string },
    ]);
    expect(told.at(-1)?.conflicts).toBe(conflicts);
  });

  it("hears each change whole before the next, in every listener's order", () => {
    const { cache } = zones();
    const heard: string[] = [];
    cache.onChanges(({ removed }) => {
      heard.push(`first ${removed[0]?.id}`);
      if (removed[0]?.id === "a") cache.markAsDeleting("b");
    });
    cache.onChanges(({ removed }) => heard.push(`second ${removed[0]?.id}`));
    cache.markAsDeleting("a");
    expect(heard).toEqual(["first a", "second a", "first b", "second b"]);
  });

  it("may follow twice, and ends each by itself", () => {
    const { cache } = zones();
    const listener = vi.fn();
    const [once, twice] = [cache.subscribe(listener), cache.subscribe(listener)];
    cache.markAsDeleting("a");
    expect(listener).toHaveBeenCalledTimes(2);
    once();
    cache.markAsDeleting("b");
    expect(listener).toHaveBeenCalledTimes(3);
    twice();
    cache.markAsDeleting("c");
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it("hears what was due when a list call or an attempt began", () => {
    const { cache, clock } = zones({ timers: false, config: { errorShown: 1_000 } });
    const fail = () => cache.fail(cache.markAsUpdating("a", { name: "x" }).operations[0] ?? 0, "no");
    fail();
    clock.set(1_002_000);
    cache.beginFetch();
    expect(cache.getSnapshot()[0]?.badge).toBeUndefined();
    fail();
    clock.set(1_004_000);
    cache.pollAttempt();
    expect(cache.getSnapshot()[0]?.badge).toBeUndefined();
  });

  it("ends when it has enough", async () => {
    const { cache } = zones();
    const changes = cache.changes();
    cache.markAsDeleting("a");
    cache.markAsDeleting("b");
    for await (const { removed } of changes) {
      expect(removed[0]?.id).toBe("a");
      break;
    }
    cache.markAsDeleting("c");
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    cache.close();
    expect(await cache.changes().next()).toEqual({ done: true, value: undefined });
  });

  it("hears of rows that a journal removes", () => {
    const { cache, clock } = zones();
    const other = new ResourceCache<Zone>({ clock, config: { seed: 1 } });
    other.keepJournal(true);
    other.merge(LISTED.slice(1));
    const told: Changes<Zone>[] = [];
    cache.onChanges((changes) => told.push(changes));
    cache.replay(other.takeJournal());
    expect(ids(cache)).toEqual(["b", "c"]);
    expect(told).toMatchObject([{ removed: [{ id: "a" }] }]);
    expect(() => cache.replay("{")).toThrow(/journal/);
  });
});

describe("timers", () => {
  /** A clock that counts who waits. */
  class Counting extends ManualClock {
    waiting = 0;
    begun = 0;

    override wake(at: number, callback: () => void): () => void {
      this.waiting += 1;
      this.begun += 1;
      const done = () => (this.waiting -= 1);
      const forget = super.wake(at, () => (done(), callback()));
      return () => (done(), forget());
    }
  }

  it("are one at most, begun only for another time, and none after closing", () => {
    const clock = new Counting(1_000_000);
    const { cache } = zones({ clock });
    expect(clock.waiting).toBe(0);
    cache.markAsDeleting("a");
    expect([clock.waiting, clock.begun]).toEqual([1, 1]);
    cache.updateMetadata("a", { message: "still" });
    cache.merge(LISTED);
    expect([clock.waiting, clock.begun]).toEqual([1, 1]);
    cache.fail(cache.operations("a")[0]?.operation ?? 0, "no");
    expect([clock.waiting, clock.begun]).toEqual([1, 2]);
    cache.close();
    expect(clock.waiting).toBe(0);
  });

  it("run for what was saved", async () => {
    const { cache, clock } = zones({ config: { errorShown: 5_000 } });
    cache.fail(cache.markAsDeleting("a").operations[0] ?? 0, "in use");
    const again = await ResourceCache.restore<Zone>(cache.save(), { clock });
    cache.close();
    expect(again.getSnapshot()[0]?.badge?.label).toBe("in use");
    clock.advance(5_000);
    expect(again.getSnapshot()[0]?.badge).toBeUndefined();
  });

  it("wake in order, each at its own time", () => {
    const clock = new ManualClock(0);
    const woken: [string, number][] = [];
    clock.wake(20, () => woken.push(["second", clock.now()]));
    clock.wake(10, () => woken.push(["first", clock.now()]));
    clock.wake(31, () => woken.push(["never", clock.now()]));
    clock.advance(30);
    expect([woken, clock.now()]).toEqual([
      [
        ["first", 10],
        ["second", 20],
      ],
      30,
    ]);
  });

  it("of the system wait longer than setTimeout can, and can be taken back", () => {
    vi.useFakeTimers();
    try {
      const [far, taken] = [vi.fn(), vi.fn()];
      const month = 30 * 24 * 3_600_000;
      systemClock.wake(Date.now() + month, far);
      const forget = systemClock.wake(Date.now() + 10, taken);
      forget();
      vi.advanceTimersByTime(month - 1);
      expect(far).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(far).toHaveBeenCalledOnce();
      expect(taken).not.toHaveBeenCalled();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("scopes", () => {
  it("begin nothing when they are aborted already", async () => {
    const { cache } = zones();
    const call = vi.fn(() => Promise.resolve());
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(cache.deleting("a", call, { signal })).rejects.toThrow("too late");
    expect(call).not.toHaveBeenCalled();
    expect(cache.state("a")).toBe("idle");
  });

  it("that are aborted while they wait for another attempt end at once", async () => {
    const { cache } = zones();
    const stop = new AbortController();
    const call = vi.fn(() => Promise.reject(new Error("busy")));
    const done = cache.deleting("a", call, { signal: stop.signal, retries: 5 });
    await vi.waitFor(() => expect(cache.getOne("a")?.meta?.status).toBe("retrying"), { timeout: 10_000 });
    stop.abort(new Error("enough"));
    await expect(done).rejects.toThrow("enough");
    expect(call).toHaveBeenCalledOnce();
    expect(ids(cache)).toEqual(["a", "b", "c"]);
    expect(cache.outcomes()).toMatchObject([{ id: "a", settlement: "cancelled" }]);
  });

  it("are cancelled, not failed, when the call rejects because of the signal", async () => {
    const { cache } = zones();
    const stop = new AbortController();
    const call = ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("the call was aborted")));
      });
    const done = cache.deleting("a", call, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(done).rejects.toThrow();
    expect(cache.outcomes()).toMatchObject([{ id: "a", settlement: "cancelled" }]);
  });

  it("leave no listener behind", async () => {
    const { cache } = zones();
    const stop = new AbortController();
    const remove = vi.spyOn(stop.signal, "removeEventListener");
    await cache.deleting("a", () => Promise.resolve(), { signal: stop.signal });
    expect(remove).toHaveBeenCalledOnce();
  });

  it("tell failures that say nothing", async () => {
    const { cache } = zones();
    await expect(cache.deleting("a", () => Promise.reject(new Error("")))).rejects.toThrow();
    expect(cache.getOne("a")?.badge?.label).toBe("failed");
    await expect(cache.deleting("b", () => Promise.reject("no words" as never))).rejects.toBe("no words");
    expect(cache.getOne("b")?.meta?.error).toBe("no words");
  });
});

describe("settings", () => {
  it("have the core's meaning", () => {
    const labels = { deleting: "Wird gelöscht …" };
    const { cache, clock } = zones({
      labels,
      config: { retry: { maxAttempts: 0, backoff: { linear: { step: 10 } } } },
    });
    cache.markAsDeleting("a");
    expect(cache.getOne("a")?.badge?.label).toBe("Wird gelöscht …");
    // 0 attempts are none to give up after.
    cache.queue({ delete: "b" });
    for (let n = 1; n < 9; n += 1) {
      const { operation = 0, number } = cache.pollAttempt() ?? {};
      expect(number).toBe(n);
      cache.fail(operation, "busy", { status: 503 });
      clock.advance(n * 10);
    }
  });

  it("keep the names of stages that a user chose", () => {
    const stages = [{ name: "firstStage", expected: 5_000 }, { name: "lastStage" }];
    const progress = {
      process: { stages, rules: [{ at: "/name", stages: { dnsReady: "lastStage" } }], stalledAfter: 9_000 },
    };
    const { cache } = zones({ config: { progress } });
    cache.markAsProcessing("a", "processing");
    expect(cache.getOne("a")?.meta).toMatchObject({ stage: "firstStage", progress: 0 });
    cache.merge([{ id: "a", name: "dnsReady" }]);
    expect(cache.getOne("a")?.meta).toMatchObject({ stage: "lastStage", progress: 50 });
  });

  it("that are wrong are refused by name", () => {
    const made = (options: object) => () => new ResourceCache(options);
    expect(made({ config: { versionOrder: "roman" } })).toThrow(/roman/);
    expect(made({ config: { ttl: -1 } })).toThrow(/config/);
    expect(made({ schema: { id: "id" } })).toThrow(/schema/);
    expect(made({ config: { ttl: undefined } })).not.toThrow();
  });

  it("are random where nothing is said, so that two caches send other keys", () => {
    const key = () => {
      const { cache } = zones();
      cache.queue({ delete: "a" });
      return cache.pollAttempt()?.key;
    };
    expect(key()).not.toBe(key());
  });
});

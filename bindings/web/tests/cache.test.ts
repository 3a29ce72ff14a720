import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  AlreadyExistsError,
  BadSnapshotError,
  BatchError,
  ClosedError,
  init,
  NotFoundError,
  ResourceCache,
  ResponseError,
  TransitionError,
  type Changes,
} from "../src/index.js";
import { ids, type Zone, zones } from "./zones.js";

const A = { id: "a", name: "one" };
const B = { id: "b", name: "two" };

beforeAll(() => init());

describe("a list", () => {
  it("hides what is being deleted while lists still have it (D1), and shows it again when it fails (V2)", () => {
    const { cache } = zones();
    cache.merge([A, B]);
    const [operation] = cache.markAsDeleting("a").operations;
    cache.merge([A, B]);
    expect(ids(cache)).toEqual(["b"]);
    cache.fail(operation ?? 0, "refused");
    expect(ids(cache)).toEqual(["a", "b"]);
    expect(cache.getOne("a")?.badge).toMatchObject({ label: "refused", icon: "cross" });
  });

  it("keeps the objects of rows that did not change, and the array when none did", () => {
    const { cache } = zones();
    cache.merge([A, B]);
    const before = cache.getSnapshot();
    cache.merge(new TextEncoder().encode(JSON.stringify([A, B])));
    expect(cache.getSnapshot()).toBe(before);
    cache.merge(JSON.stringify([A, { ...B, name: "2" }]));
    expect(cache.getSnapshot()).not.toBe(before);
    expect(cache.getSnapshot()[0]).toBe(before[0]);
    expect(cache.getSnapshot()[1]?.value.name).toBe("2");
    expect(cache.getOne("a")).toBe(before[0]);
  });

  it("takes texts that are not ASCII, and bytes in part of a buffer", () => {
    const { cache } = zones();
    const text = JSON.stringify([{ id: "ä€😀", name: "日本" }]);
    cache.merge(text);
    expect(cache.getOne("ä€😀")?.value.name).toBe("日本");
    const bytes = new TextEncoder().encode(`xx${text}yy`);
    expect(cache.merge(bytes.subarray(2, bytes.length - 2)).upserted).toEqual([]);
  });

  it("keeps a hidden row's object until it changes", () => {
    const { cache } = zones();
    cache.merge([A, B]);
    cache.markAsDeleting("a");
    const hidden = cache.getOne("a");
    expect(hidden?.visible).toBe(false);
    expect(cache.all().find((row) => row.id === "a")).toBe(hidden);
    expect(cache.getByStatus("deleting")).toEqual([hidden]);
    cache.updateMetadata("a", { message: "soon" });
    expect(cache.getOne("a")).not.toBe(hidden);
    expect(cache.getOne("a")?.meta?.message).toBe("soon");
  });

  it("keeps one row for a temporary and its real id (V6, C2)", () => {
    const { cache } = zones();
    cache.merge([A]);
    cache.addAsCreating({ id: "tmp" });
    const { key } = cache.getOne("tmp") ?? {};
    cache.replaceCreated("tmp", { id: "c" });
    expect(ids(cache)).toEqual(["a", "c"]);
    expect(cache.getOne("c")?.key).toBe(key);
    expect(cache.getOne("tmp")?.id).toBe("c");
  });
});

describe("listeners", () => {
  it("are called after a change, may call verbs, and stop nothing by throwing", () => {
    vi.useFakeTimers();
    try {
      const { cache } = zones();
      const seen: string[][] = [];
      cache.subscribe(() => {
        throw new Error("a listener's");
      });
      cache.subscribe(() => {
        seen.push(ids(cache));
        if (seen.length === 1) cache.markAsDeleting("a");
      });
      cache.merge([A, B]);
      expect(seen).toEqual([["a", "b"], ["b"]]);
      cache.merge([A, B]);
      expect(seen.length).toBe(2);
      expect(() => vi.runAllTimers()).toThrow("a listener's");
    } finally {
      vi.useRealTimers();
    }
  });

  it("get every change in order", async () => {
    const { cache } = zones();
    const changes = cache.changes();
    const followed: Changes<Zone>[] = [];
    cache.onChanges((each) => followed.push(each));
    cache.merge([A]);
    cache.merge([A, B]);
    cache.merge([A, B]);
    expect((await changes.next()).value).toBe(followed[0]);
    const second: Changes<Zone> = (await changes.next()).value;
    expect(second.upserted.map(({ row, after }) => [row.id, after])).toEqual([["b", cache.getOne("a")?.key]]);
    cache.close();
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    expect(followed.length).toBe(2);
  });

  it("see what is due when its time comes", () => {
    const { cache, clock } = zones({ config: { errorShown: 5_000 } });
    cache.merge([A]);
    const [operation = 0] = cache.markAsUpdating("a", { name: "mine" }).operations;
    expect(cache.getOne("a")?.value.name).toBe("mine");
    cache.fail(operation, "no");
    const told = vi.fn();
    cache.subscribe(told);
    clock.advance(4_999);
    expect(told).not.toHaveBeenCalled();
    clock.advance(1);
    expect(told).toHaveBeenCalledOnce();
    expect(cache.getOne("a")?.badge).toBeUndefined();
  });
});

describe("scopes", () => {
  it("acknowledge on return", async () => {
    const { cache } = zones();
    cache.merge([A]);
    expect(await cache.deleting("a", () => Promise.resolve(204))).toBe(204);
    expect(cache.state("a")).toBe("deleted");
    await cache.creating({ id: "t" }, () => Promise.resolve({ id: "c", name: "real" }));
    expect(cache.getOne("t")?.value).toEqual({ id: "c", name: "real" });
    await cache.updating("c", { name: "new" }, async () => {});
    expect(cache.state("c")).toBe("updated");
  });

  it("fail and rethrow", async () => {
    const { cache } = zones();
    cache.merge([A]);
    const refused = new Error("in use");
    await expect(cache.deleting("a", () => Promise.reject(refused))).rejects.toBe(refused);
    expect(cache.getOne("a")?.meta?.error).toBe("in use");
    expect(ids(cache)).toEqual(["a"]);
  });

  it("try again after the backoff, and say which attempt it is", async () => {
    const { cache, clock } = zones({ config: { retryBackoff: 1_000 } });
    cache.merge([A]);
    const attempts: number[] = [];
    const done = cache.updating(
      "a",
      { name: "mine" },
      ({ attempt }) => {
        attempts.push(attempt);
        return attempt < 3 ? Promise.reject(new Error("busy")) : Promise.resolve();
      },
      { retries: 2 },
    );
    await vi.waitFor(() => expect(cache.getOne("a")?.badge?.retry).toEqual([1, 2]), { timeout: 10_000 });
    clock.advance(1_000);
    await vi.waitFor(() => expect(cache.getOne("a")?.badge?.retry).toEqual([2, 2]), { timeout: 10_000 });
    clock.advance(2_000);
    await done;
    expect(attempts).toEqual([1, 2, 3]);
  });

  it("are cancelled by their signal, and by closing", async () => {
    const { cache } = zones();
    cache.merge([A, B]);
    const stop = new AbortController();
    let inner: AbortSignal | undefined;
    const deleting = cache.deleting("a", ({ signal }) => ((inner = signal), new Promise<never>(() => {})), {
      signal: stop.signal,
    });
    const other = cache.deleting("b", () => new Promise<never>(() => {}));
    expect(ids(cache)).toEqual([]);
    stop.abort(new Error("enough"));
    await expect(deleting).rejects.toThrow("enough");
    expect(inner?.aborted).toBe(true);
    expect(ids(cache)).toEqual(["a"]);
    expect(cache.state("b")).toBe("deleting");
    cache.close();
    await expect(other).rejects.toThrow("the cache was closed");
  });

  it("report progress", async () => {
    const { cache } = zones();
    cache.merge([A]);
    await cache.processing("a", async ({ report }) => {
      report({ progress: 0, message: "Begins" });
      expect(cache.getOne("a")?.progress).toMatchObject({ label: "Begins", percent: 0 });
      report({ progress: 50, stage: "half" });
      expect(cache.getOne("a")?.progress?.percent).toBe(50);
    });
    expect(cache.state("a")).toBe("processed");
  });

  it("take a list as it was when it was asked for (S6)", async () => {
    const { cache } = zones();
    let answer: (zones: readonly Zone[]) => void = () => {};
    const first = cache.fetching(() => new Promise<readonly Zone[]>((resolve) => (answer = resolve)));
    await cache.fetching(() => Promise.resolve([{ ...A, name: "newer" }]));
    answer([A, B]);
    await first;
    expect(cache.getSnapshot().map((row) => row.value)).toEqual([{ ...A, name: "newer" }]);
    const bad = () => Promise.resolve(new Response("", { status: 503 }));
    await expect(cache.fetching(bad)).rejects.toBeInstanceOf(ResponseError);
    await cache.fetching(() => Promise.resolve(new Response(JSON.stringify([B]))));
    expect(ids(cache)).toEqual(["b"]);
  });
});

describe("refusals", () => {
  it("name what was wrong, and change nothing", () => {
    const { cache } = zones();
    cache.merge([A]);
    const before = cache.save();
    expect(() => cache.markAsDeleting("")).toThrow(/empty/);
    expect(() => cache.acknowledge(99)).toThrow(NotFoundError);
    expect(() => cache.acknowledge(0.5)).toThrow(NotFoundError);
    expect(() => cache.addAsCreating({ id: "a" })).toThrow(AlreadyExistsError);
    expect(() => cache.merge([A, {} as Zone])).toThrow(BadSnapshotError);
    expect(() => cache.markAsDeleting("a", -1)).toThrow(/milliseconds/);
    expect(() => cache.markAsProcessing("a", "eating" as never)).toThrow(/eating/);
    expect(cache.save()).toBe(before);
    cache.markAsDeleting("a");
    const deleting = cache.save();
    try {
      cache.batchMarkAsProcessing(["b", "a"], "updating");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BatchError);
      expect(error).toMatchObject({ kind: "transition", refusals: [{ position: 1, id: "a" }] });
    }
    expect(() => cache.markAsUpdating("a", { name: "x" })).toThrow(TransitionError);
    expect(cache.save()).toBe(deleting);
  });

  it("meet who uses a closed cache", () => {
    const { cache } = zones();
    cache.close();
    cache.close();
    expect(() => cache.merge([])).toThrow(ClosedError);
  });
});

describe("steps and the outbox", () => {
  it("undo what was done, and send what was queued", () => {
    const { cache } = zones();
    cache.merge([A, B]);
    cache.perform("Delete 2 zones", [{ delete: "a", sendAfter: 5_000 }, { delete: "b" }]);
    expect(ids(cache)).toEqual([]);
    expect(cache.undoLabel).toBe("Delete 2 zones");
    cache.undo();
    expect(ids(cache)).toEqual(["a", "b"]);
    expect(cache.redoLabels()).toEqual(["Delete 2 zones"]);
    cache.queue({ update: "a", patch: { name: "mine" } });
    const attempt = cache.pollAttempt();
    expect(attempt).toMatchObject({ kind: "update", id: "a", number: 1, patch: { name: "mine" } });
    expect(cache.attemptOf(attempt?.operation ?? 0)).toEqual(attempt);
    cache.acknowledge(attempt?.operation ?? 0);
    expect(cache.queued).toBe(0);
  });

  it("are saved and restored, and replayed from a journal", async () => {
    const { cache, clock } = zones({ config: { seed: 1 } });
    cache.keepJournal(true);
    cache.merge([A, B]);
    cache.markAsDeleting("a");
    const again = await ResourceCache.restore<Zone>(cache.save(), { clock, config: { seed: 1 } });
    expect(again.getSnapshot()).toEqual(cache.getSnapshot());
    expect(again.getOne("a")).toEqual(cache.getOne("a"));
    const replayed = new ResourceCache<Zone>({ clock, config: { seed: 1 } });
    replayed.replay(cache.takeJournal());
    expect(replayed.save()).toBe(cache.save());
    expect(replayed.getSnapshot()).toEqual(cache.getSnapshot());
  });
});

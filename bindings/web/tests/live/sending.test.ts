import { beforeAll, describe, expect, it } from "vitest";
import {
  init,
  ManualClock,
  ResourceCache,
  ResponseError,
  send,
  type Attempt,
  type Sent,
} from "../../src/index.js";

interface Zone {
  readonly id: string;
  readonly ttl?: number;
}

/** Lets everything happen that waits for nothing. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Call {
  readonly attempt: Attempt<Zone>;
  readonly signal: AbortSignal;
  answer(answer: Sent<Zone>): Promise<void>;
  fail(problem: unknown): Promise<void>;
}

function sending(config = {}) {
  const clock = new ManualClock(1_000_000);
  const cache = new ResourceCache<Zone>({ clock, config: { seed: 1, ...config } });
  cache.merge([{ id: "a" }, { id: "b" }, { id: "c" }]);
  const calls: Call[] = [];
  const stop = new AbortController();
  const problems: unknown[] = [];
  const run = send(
    cache,
    (attempt, signal) =>
      new Promise<Sent<Zone>>((resolve, reject) => {
        const done = (act: () => void) => () => (act(), settle());
        calls.push({
          attempt,
          signal,
          answer: (answer) => done(() => resolve(answer))(),
          fail: (problem) => done(() => reject(problem))(),
        });
      }),
    { signal: stop.signal, onFailure: (problem) => problems.push(problem) },
  );
  const at = (place: number) => {
    const call = calls[place];
    if (call === undefined) throw new Error(`there is no call ${place}, of ${calls.length}`);
    return call;
  };
  return { cache, clock, calls, at, stop, run, problems };
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

beforeAll(() => init());

describe("send", () => {
  it("sends what is queued, and acknowledges it with the answer's body", async () => {
    const { cache, calls, at } = sending();
    cache.queue({ update: "a", patch: { ttl: 60 } });
    await settle();
    expect(at(0).attempt).toMatchObject({ kind: "update", id: "a", patch: { ttl: 60 }, number: 1 });
    await at(0).answer(json({ id: "a", ttl: 61 }));
    expect(cache.getOne("a")?.value.ttl).toBe(61);
    expect([cache.queued, calls.length]).toEqual([0, 1]);
  });

  it("sends again as the policy says of a status, under the same key, and not before Retry-After", async () => {
    const { cache, clock, calls, at } = sending();
    cache.queue({ update: "a", patch: { ttl: 60 } });
    await settle();
    await at(0).answer(new Response("busy", { status: 503, headers: { "Retry-After": "7" } }));
    expect(cache.getOne("a")?.state).toBe("retrying");
    clock.advance(6_999);
    await settle();
    expect(calls).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(at(1).attempt).toMatchObject({ number: 2, key: at(0).attempt.key });
    await at(1).fail(new TypeError("fetch failed"));
    expect(cache.getOne("a")?.state).toBe("retrying");
    clock.advance(2_000);
    await settle();
    await at(2).fail(new ResponseError(422, "/zones/a"));
    expect(cache.getOne("a")).toMatchObject({ state: "failed" });
    expect(cache.getOne("a")?.value.ttl).toBeUndefined();
    expect([cache.queued, calls.length]).toEqual([0, 3]);
  });

  it("counts a deletion of what is gone as done, and takes no body of 202 for the resource", async () => {
    const { cache, at } = sending();
    cache.queue({ delete: "a" });
    cache.queue({ update: "b", patch: { ttl: 1 } });
    await settle();
    await at(0).answer(json({ error: "no such zone" }, 404));
    expect(cache.state("a")).toBe("deleted");
    await at(1).answer(json({ id: "b", job: 1 }, 202));
    expect(cache.state("b")).toBe("updated");
    expect(cache.getOne("b")?.value).toEqual({ id: "b", ttl: 1 });
  });

  it("accepts what was accepted, also when the body is not the resource", async () => {
    const { cache, at, problems } = sending();
    cache.queue({ update: "a", patch: { ttl: 1 } });
    cache.queue({ update: "b", patch: { ttl: 1 } });
    await settle();
    await at(0).answer(json({ ok: true }));
    await at(1).answer(new Response("<p>done", { status: 200 }));
    expect([cache.state("a"), cache.state("b"), problems]).toEqual(["updated", "updated", []]);
  });

  it("has at most maxUnderWay calls at once (O5), and one resource's in order (O4)", async () => {
    const { cache, calls, at } = sending({ maxUnderWay: 2 });
    for (const id of ["a", "b", "c"]) cache.queue({ update: id, patch: { ttl: 1 } });
    await settle();
    expect(calls.map(({ attempt }) => attempt.id)).toEqual(["a", "b"]);
    cache.queue({ update: "a", patch: { ttl: 2 } });
    await at(0).answer(undefined);
    expect(calls.map(({ attempt }) => attempt.id)).toEqual(["a", "b", "c"]);
    await at(2).answer(undefined);
    expect(at(3).attempt).toMatchObject({ id: "a", patch: { ttl: 2 } });
  });

  it("waits as long as what is queued is to wait, and holds it offline", async () => {
    const { cache, clock, calls } = sending();
    cache.queue({ delete: "a" }, 5_000);
    cache.setOnline(false);
    clock.advance(5_000);
    await settle();
    expect(calls).toHaveLength(0);
    cache.setOnline(true);
    await settle();
    expect(calls).toHaveLength(1);
  });

  it("sends one that was not answered in time again, and takes the late answer of the first (O3)", async () => {
    const { cache, clock, at } = sending({ retry: { attemptTimeout: 10_000 } });
    cache.queue({ delete: "a" });
    await settle();
    clock.advance(10_000);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(at(1).attempt.key).toBe(at(0).attempt.key);
    expect([at(0).signal.aborted, at(1).signal.aborted]).toEqual([true, false]);
    expect(cache.queued).toBe(1);
    await at(0).answer(new Response(null, { status: 204 }));
    expect(cache.state("a")).toBe("deleted");
    await at(1).answer(new Response(null, { status: 204 }));
    expect(cache.state("a")).toBe("deleted");
  });

  it("does not take the end of a call that it has aborted for a failure of the next one", async () => {
    const { cache, clock, at, problems } = sending({ retry: { attemptTimeout: 10_000 } });
    cache.queue({ delete: "a" });
    await settle();
    clock.advance(10_000);
    await settle();
    clock.advance(1_000);
    await settle();
    const next = at(1);
    await at(0).fail(at(0).signal.reason);
    expect([cache.state("a"), problems]).toEqual(["deleting", []]);
    await next.answer(undefined);
    expect(cache.state("a")).toBe("deleted");
  });

  it("ends with its signal: calls are aborted, and their attempts stay under way", async () => {
    const { cache, calls, at, stop, run } = sending();
    cache.queue({ delete: "a" });
    await settle();
    stop.abort();
    await run;
    expect(at(0).signal.aborted).toBe(true);
    await at(0).fail(at(0).signal.reason);
    expect(cache.attemptOf(at(0).attempt.operation)?.key).toBe(at(0).attempt.key);
    cache.queue({ delete: "b" });
    await settle();
    expect(calls).toHaveLength(1);
  });

  it("ends with the cache", async () => {
    const { cache, at, run } = sending();
    cache.queue({ delete: "a" });
    await settle();
    cache.close();
    await run;
    expect(at(0).signal.aborted).toBe(true);
  });
});

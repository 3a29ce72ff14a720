import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { init, kubernetesSchema, ManualClock, ResourceCache, type Options } from "../../src/index.js";
import {
  watch,
  type Feed,
  type ListAnswer,
  type ListCall,
  type Receiver,
  type StreamCall,
  type WatchOptions,
  type WatchState,
} from "../../src/watching/index.js";

interface Zone {
  readonly id: string;
  readonly n?: number;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

const FEED: Feed = { word: "/type", resource: "/zone", sequence: "/seq" };

/** A server that does what the test says. */
class Server {
  readonly lists: {
    readonly call: ListCall;
    answer(answer: ListAnswer): Promise<void>;
    fail(problem: Error): Promise<void>;
  }[] = [];
  readonly streams: { readonly call: StreamCall; readonly to: Receiver }[] = [];
  readonly problems: string[] = [];

  get options(): WatchOptions {
    return {
      list: (call) =>
        new Promise<ListAnswer>((resolve, reject) => {
          this.lists.push({
            call,
            answer: (answer) => (resolve(answer), settle()),
            fail: (problem) => (reject(problem), settle()),
          });
        }),
      stream: (call, to) => void this.streams.push({ call, to }),
      onProblem: (problem) => void this.problems.push(problem),
    };
  }

  get list() {
    return last(this.lists, "list call");
  }

  get stream() {
    return last(this.streams, "stream");
  }
}

function last<E>(all: readonly E[], what: string): E {
  const found = all.at(-1);
  if (found === undefined) throw new Error(`there is no ${what}`);
  return found;
}

function watching(given: Partial<WatchOptions> = {}, options: Options = {}) {
  const clock = new ManualClock(1_000_000);
  const cache = new ResourceCache<Zone>({ clock, ...options });
  const server = new Server();
  const running = watch(cache, { ...server.options, ...given });
  return { cache, clock, server, running };
}

const ids = (cache: ResourceCache<Zone>) => cache.getSnapshot().map((row) => row.id);
const told = (type: string, zone: Zone, seq?: number) => JSON.stringify({ type, zone, seq });

beforeAll(() => init());
afterEach(() => vi.unstubAllGlobals());

describe("a feed", () => {
  it("opens the stream, lists beside it, and applies what comes (W1)", async () => {
    const { cache, server, running } = watching({ feed: FEED });
    expect(running.current).toMatchObject({ state: "listing", synced: false });
    server.stream.to.opened();
    await server.list.answer('[{"id":"a"},{"id":"b"}]');
    expect(running.current).toEqual({
      state: "watching",
      synced: true,
      failure: undefined,
      position: undefined,
    });
    server.stream.to.message(told("added", { id: "c" }));
    server.stream.to.message(told("deleted", { id: "a" }));
    expect(ids(cache)).toEqual(["b", "c"]);
  });

  it("takes the word beside a message, unless the feed has its own", async () => {
    const { cache, server } = watching({ feed: { id: "/id" } });
    server.stream.to.opened();
    await server.list.answer('[{"id":"a"}]');
    server.stream.to.message('{"id":"a"}', "removed");
    expect(ids(cache)).toEqual([]);
    const other = watching({ feed: FEED });
    other.server.stream.to.opened();
    await other.server.list.answer('[{"id":"a"}]');
    other.server.stream.to.message(told("deleted", { id: "a" }), "something");
    expect([ids(other.cache), other.server.problems]).toEqual([[], []]);
  });

  it("does not disturb what is pending: the deleted row stays hidden (D1)", async () => {
    const { cache, server } = watching({ feed: FEED });
    server.stream.to.opened();
    await server.list.answer('[{"id":"a"},{"id":"b"}]');
    cache.markAsDeleting("a");
    server.stream.to.message(told("updated", { id: "a", n: 1 }));
    expect(ids(cache)).toEqual(["b"]);
  });

  it("goes on behind its last number, and lists when one is missing (W3)", async () => {
    const { clock, server, running } = watching({ feed: FEED, settings: { resume: "sequence" } });
    server.stream.to.opened();
    await server.list.answer("[]");
    server.stream.to.message(told("added", { id: "a" }, 7));
    expect(running.position).toEqual({ sequence: 7 });
    clock.advance(10_000);
    server.stream.to.closed();
    expect(server.stream.call.sequence).toBe(7);
    server.stream.to.opened();
    expect(server.lists).toHaveLength(1);
    server.stream.to.message(told("added", { id: "b" }, 9));
    expect(running.current.synced).toBe(false);
  });

  it("goes on from a position that was saved, without a list", () => {
    const { server, running } = watching({
      feed: FEED,
      settings: { resume: "sequence" },
      position: { sequence: 41 },
    });
    expect(server.stream.call.sequence).toBe(41);
    server.stream.to.opened();
    server.stream.to.message(told("added", { id: "a" }, 42));
    expect([server.lists.length, running.position]).toEqual([0, { sequence: 42 }]);
  });

  it("tells of what it cannot read, and lists again", async () => {
    const { clock, server } = watching({ feed: FEED });
    server.stream.to.opened();
    await server.list.answer("[]");
    server.stream.to.message("{");
    expect(server.problems).toHaveLength(1);
    clock.advance(1_000);
    expect(server.lists).toHaveLength(2);
    await server.list.answer('{"no":"list"}');
    expect(server.problems).toHaveLength(2);
  });

  it("passes over what comes of a stream that was closed, and ends calls that nobody waits for", async () => {
    const { cache, server, running } = watching({ feed: FEED });
    const first = server.stream;
    first.to.opened();
    await server.list.answer("[]");
    running.setOnline(false);
    expect([first.call.signal.aborted, cache.isOnline]).toEqual([true, false]);
    first.to.message(told("added", { id: "late" }));
    first.to.closed();
    expect([ids(cache), running.current.state]).toEqual([[], "offline"]);
    running.setOnline(true);
    expect([server.streams.length, cache.isOnline]).toEqual([2, true]);
  });
});

describe("failures", () => {
  const settings = { backoff: { linear: { step: 1_000 } } };

  it("wait as the backoff says, longer each time, and are told", async () => {
    const { clock, server, running } = watching({ feed: FEED, settings });
    server.stream.to.failed("connection refused");
    expect(running.current).toMatchObject({
      state: "backing_off",
      failure: { problem: "connection refused", status: null },
    });
    clock.advance(999);
    expect(server.streams).toHaveLength(1);
    clock.advance(1);
    expect(server.streams).toHaveLength(2);
    server.stream.to.failed("connection refused");
    clock.advance(1_999);
    expect(server.streams).toHaveLength(2);
    clock.advance(1);
    expect(server.streams).toHaveLength(3);
    server.stream.to.opened();
    await server.list.answer("[]");
    expect(running.current).toMatchObject({ synced: true, failure: undefined });
  });

  it("keep to Retry-After, of a stream and of a list", async () => {
    const { clock, server, running } = watching({ feed: FEED, settings });
    server.stream.to.refused(503, "busy", 20_000);
    expect(running.current.failure).toMatchObject({ status: 503, retryAfter: 20_000 });
    clock.advance(19_999);
    expect(server.streams).toHaveLength(1);
    clock.advance(1);
    server.stream.to.opened();
    await server.list.answer(new Response("", { status: 429, headers: { "Retry-After": "30" } }));
    expect(running.current.failure).toMatchObject({ status: 429, retryAfter: 30_000 });
    clock.advance(29_999);
    expect(server.lists).toHaveLength(1);
    clock.advance(1);
    server.stream.to.opened();
    expect(server.lists).toHaveLength(2);
  });

  it("keep to the pace that a stream of events asks for", async () => {
    const { clock, server, running } = watching({ feed: FEED, settings });
    server.stream.to.opened();
    await server.list.answer("[]");
    server.stream.to.pace(9_000);
    server.stream.to.closed();
    expect(running.current.failure).toMatchObject({ status: null, retryAfter: 9_000 });
    clock.advance(8_999);
    expect(server.streams).toHaveLength(1);
    clock.advance(1);
    expect(server.streams).toHaveLength(2);
  });

  it("of a list that throws are told, and another follows", async () => {
    const { clock, server, running } = watching({ feed: FEED, settings });
    server.stream.to.opened();
    await server.list.fail(new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") }));
    expect(running.current.failure?.problem).toBe("fetch failed: ECONNREFUSED");
    clock.advance(1_000);
    server.stream.to.opened();
    expect(server.lists).toHaveLength(2);
  });

  it("a stream that is silent for too long counts as broken; anything heard of it helps", async () => {
    const { clock, server, running } = watching({ feed: FEED, settings: { ...settings, idleAfter: 10_000 } });
    server.stream.to.opened();
    await server.list.answer("[]");
    clock.advance(9_000);
    server.stream.to.heard();
    clock.advance(9_000);
    expect(running.current.state).toBe("watching");
    const [silent] = server.streams;
    clock.advance(1_000);
    expect([running.current.state, silent?.call.signal.aborted]).toEqual(["backing_off", true]);
  });
});

describe("a watch as Kubernetes'", () => {
  const item = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
  const list = (version: string, ...items: object[]) =>
    JSON.stringify({ metadata: { resourceVersion: version }, items });
  const options: Options = { schema: kubernetesSchema, config: { versionOrder: "integer" } };

  it("lists first, streams from the list's version, and goes on from the last one", async () => {
    const { cache, clock, server, running } = watching({}, options);
    expect(server.list.call.query.get("limit")).toBe("500");
    await server.list.answer(list("10", item("a", "4")));
    expect(server.stream.call).toMatchObject({ version: "10" });
    expect(server.stream.call.query.get("resourceVersion")).toBe("10");
    server.stream.to.opened();
    server.stream.to.message(JSON.stringify({ type: "ADDED", object: item("b", "11") }));
    expect(ids(cache)).toEqual(["a", "b"]);
    expect(running.position).toEqual({ version: "11" });
    clock.advance(10_000);
    server.stream.to.closed();
    expect(server.stream.call.version).toBe("11");
    server.stream.to.refused(410, "");
    expect(server.list.call.notOlderThan).toBe("11");
  });

  it("lists where the TTL is over and the stream does not decide, after a while, and again (T4)", async () => {
    const { cache, clock, server } = watching({ pollEvery: 30_000 }, { ...options, config: { ttl: 5_000 } });
    await server.list.answer(list("10", item("a", "4")));
    server.stream.to.opened();
    const [operation = 0] = cache.markAsDeleting("a").operations;
    cache.acknowledge(operation);
    clock.advance(34_999);
    expect(server.lists).toHaveLength(1);
    clock.advance(2);
    expect(server.lists).toHaveLength(2);
  });
});

describe("lists for what is pending, beside a feed", () => {
  it("come at the end of the TTL (T4), and never when they are not wanted", async () => {
    for (const [pollEvery, lists] of [
      [30_000, 2],
      [null, 1],
    ] as const) {
      const { cache, clock, server } = watching({ feed: FEED, pollEvery }, { config: { ttl: 5_000 } });
      server.stream.to.opened();
      await server.list.answer('[{"id":"a"}]');
      cache.markAsDeleting("a");
      clock.advance(4_999);
      expect(server.lists).toHaveLength(1);
      clock.advance(2);
      expect(server.lists).toHaveLength(lists);
    }
  });
});

describe("its life", () => {
  it("is told by iteration: the present state, and each other one; a slow reader gets the newest", async () => {
    const { server, running } = watching({ feed: FEED });
    const seen: WatchState[] = [];
    const following = (async () => {
      for await (const state of running) seen.push(state);
    })();
    await settle();
    server.stream.to.opened();
    await server.list.answer("[]");
    running.setOnline(false);
    await settle();
    running.setOnline(true);
    running.setOnline(false);
    await settle();
    running.stop();
    await following;
    expect(seen.map(({ state, synced }) => [state, synced])).toEqual([
      ["listing", false],
      ["watching", true],
      ["offline", false],
    ]);
  });

  it("ends with its signal, or with the cache: calls are aborted, and nothing comes after", async () => {
    const stop = new AbortController();
    const { cache, server, running } = watching({ feed: FEED, signal: stop.signal });
    const synced = running.synced();
    stop.abort();
    await expect(synced).rejects.toThrow("the watch has ended");
    expect(server.stream.call.signal.aborted).toBe(true);
    server.stream.to.opened();
    server.stream.to.message(told("added", { id: "late" }));
    running.relist();
    await settle();
    expect(ids(cache)).toEqual([]);

    const other = watching({ feed: FEED });
    other.cache.close();
    expect(other.server.stream.call.signal.aborted).toBe(true);
    other.server.stream.to.opened();
  });

  it("may be ended by those whom it tells of a change", async () => {
    const { cache, server, running } = watching({ feed: FEED });
    server.stream.to.opened();
    cache.subscribe(() => running.stop());
    await server.list.answer('[{"id":"a"}]');
    expect([ids(cache), server.stream.call.signal.aborted]).toEqual([["a"], true]);
  });

  it("follows the browser's network", async () => {
    const events = new EventTarget();
    vi.stubGlobal("navigator", { onLine: false });
    vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
    vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
    const { cache, server, running } = watching({ feed: FEED });
    expect([running.current.state, cache.isOnline, server.streams.length]).toEqual(["offline", false, 0]);
    events.dispatchEvent(new Event("online"));
    expect([server.streams.length, cache.isOnline]).toEqual([1, true]);
    events.dispatchEvent(new Event("offline"));
    expect(running.current.state).toBe("offline");
    running.stop();
    events.dispatchEvent(new Event("online"));
    expect(cache.isOnline).toBe(false);
  });
});

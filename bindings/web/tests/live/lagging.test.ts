/** The lagging server of the repository: its pushes are prompt, its lists lag. `cargo xtask web` says where it is. */

import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { init, ResourceCache, send } from "../../src/index.js";
import {
  eventStream,
  watch,
  webSocket,
  type SocketLike,
  type WatchOptions,
} from "../../src/watching/index.js";

interface Zone {
  readonly id: string;
  readonly n: number;
}

const PROGRAM = process.env["RESOURCECACHE_LAGGING_SERVER"];
const Socket = WebSocket as unknown as new (url: string) => SocketLike;

describe.runIf(PROGRAM !== undefined)("the lagging server", () => {
  let server: ChildProcess;
  let url: string;

  const post = (path: string, body: unknown) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  beforeAll(async () => {
    await init();
    server = spawn(PROGRAM ?? "", [], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (
      await createInterface({ input: server.stdout! })[Symbol.asyncIterator]().next()
    ).value?.split("\n") ?? [""];
    url = line ?? "";
    expect(url).toMatch(/^http:/);
  });

  afterAll(() => server.stdin?.end());

  const streams: Record<string, () => Pick<WatchOptions, "stream" | "feed">> = {
    "a WebSocket": () => ({
      stream: webSocket(
        ({ version }) => `${url}/push/zones/socket${version === null ? "" : `?after=${version}`}`,
        {
          WebSocket: Socket,
        },
      ),
      feed: { ...FEED, word: "/type", resource: "/object", version: "/version", sequence: "/seq" },
    }),
    "server-sent events": () => ({
      stream: eventStream(`${url}/push/zones/events`, { framing: "envelope" }),
      feed: { ...FEED, word: "/event", resource: "/data/object", version: "/id", sequence: "/data/seq" },
    }),
  };
  const FEED = {
    words: { added: ["created"], modified: ["updated", "accepted", "failed"], deleted: ["deleted"] },
  };

  for (const [name, stream] of Object.entries(streams)) {
    it(`is followed over ${name}, while lists lag and pushes are lost and cut, and what is queued is sent`, async () => {
      await post("/control/reset", {});
      await post("/control/lag", { replicas: [0, 300], delete_ms: 50, lose_push: 4 });
      await post("/control/seed", {
        zones: [
          { id: "z0", n: 0 },
          { id: "z1", n: 0 },
        ],
      });
      const cache = new ResourceCache<Zone>({
        schema: { uid: "/uid", version: "/version", items: "/items", listVersion: "/version" },
        config: { versionOrder: "integer", ttl: 2_000 },
      });
      const problems: unknown[] = [];
      const running = watch(cache, {
        ...stream(),
        list: ({ signal }) => fetch(`${url}/v1/zones?replica=0`, { signal }),
        settings: { resume: "version", backoff: { linear: { step: 20 } }, listInterval: 20 },
        onProblem: (problem) => problems.push(problem),
      });
      const sending = send(cache, ({ kind, id, resource, key }, signal) =>
        fetch(`${url}/v1/zones${kind === "create" ? "" : `/${id}`}`, {
          method: { create: "POST", update: "PATCH", delete: "DELETE", process: "POST" }[kind],
          headers: { "content-type": "application/json", "Idempotency-Key": key },
          ...(kind === "delete" ? {} : { body: JSON.stringify(resource) }),
          signal,
        }),
      );
      await running.synced();
      for (let n = 2; n < 12; n += 1) {
        cache.queue({ create: { id: `z${n}`, n } });
        if (n === 6) await post("/control/cut", {});
      }
      cache.queue({ delete: "z0" });
      const shown = () =>
        cache
          .getSnapshot()
          .map(({ value }) => `${value.id}:${value.n}`)
          .sort()
          .join();
      const wanted = ["z1:0", ...Array.from({ length: 10 }, (_, place) => `z${place + 2}:${place + 2}`)]
        .sort()
        .join();
      expect(shown()).toBe(wanted); // at once
      await expect
        .poll(() => cache.all().every((row) => row.state === "idle") && running.current.synced, {
          timeout: 20_000,
        })
        .toBe(true);
      expect(shown()).toBe(wanted);
      expect(problems).toEqual([]);
      cache.close();
      await sending;
    }, 30_000);
  }
});

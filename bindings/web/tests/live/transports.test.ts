import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket as Connection } from "node:net";
import { EventSource } from "eventsource";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { init, kubernetesSchema, ResourceCache, type Options } from "../../src/index.js";
import {
  eventSource,
  eventStream,
  kubernetes,
  lines,
  watch,
  webSocket,
  type Receiver,
  type SocketLike,
  type StreamCall,
  type Transport,
  type WatchOptions,
} from "../../src/watching/index.js";

interface Zone {
  readonly id: string;
}

const ends: (() => void | Promise<void>)[] = [];

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on the loopback, for one test. */
async function serve(
  handler: Handler,
): Promise<{ url: string; server: Server; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  const sockets = new Set<Connection>();
  server.on("connection", (socket: Connection) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, requests };
}

/** What comes of a stream, as it comes. */
class Heard implements Receiver {
  readonly all: string[] = [];
  #waiting: (() => void) | undefined;
  #add(text: string): void {
    this.all.push(text);
    this.#waiting?.();
  }
  opened = () => this.#add("opened");
  heard = () => this.#add("heard");
  message = (text: string, word?: string) => this.#add(word === undefined ? text : `${word}: ${text}`);
  pace = (ms: number) => this.#add(`pace ${ms}`);
  failed = (problem: string) => this.#add(`failed: ${problem}`);
  refused = (status: number, body: string, wait?: number) => this.#add(`refused ${status} ${body} ${wait}`);
  closed = () => this.#add("closed");

  /** All of it, as soon as there is this much. */
  async first(count: number): Promise<string[]> {
    while (this.all.length < count) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.all.slice(0, count);
  }
}

function open(transport: Transport, given: Partial<StreamCall> = {}) {
  const stop = new AbortController();
  ends.push(() => stop.abort());
  const heard = new Heard();
  const none = { version: null, sequence: null, initialEvents: false, query: new URLSearchParams() };
  transport({ ...none, signal: stop.signal, ...given }, heard);
  return { heard, stop };
}

beforeAll(() => init());
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const later = (act: () => void) => setTimeout(act, 5);

describe("lines", () => {
  it("come one by one, however they are cut; what breaks off within one is none", async () => {
    const { url, requests } = await serve((_, response) => {
      const bytes = Buffer.from('{"n":"ä"}\n\r\n{"n":2}\n{"n":');
      response.write(bytes.subarray(0, 7)); // within the ä
      later(() => response.write(bytes.subarray(7, 14)));
      later(() => later(() => response.end(bytes.subarray(14))));
    });
    const { heard } = open(lines(`${url}/zones?x=1`), { query: new URLSearchParams({ watch: "true" }) });
    expect(await heard.first(5)).toEqual(["opened", '{"n":"ä"}', "heard", '{"n":2}', "closed"]);
    expect(requests[0]?.url).toBe("/zones?x=1&watch=true");
  });

  it("tell a status with Retry-After, and what has no end", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/busy") response.writeHead(503, { "Retry-After": "3" }).end("busy");
      else response.write("x".repeat(100));
    });
    const busy = open(lines(`${url}/busy`));
    expect(await busy.heard.first(1)).toEqual(["refused 503 busy 3000"]);
    const long = open(lines(`${url}/long`, { maxMessage: 99 }));
    expect(await long.heard.first(2)).toEqual(["opened", "failed: a message is longer than 99 characters"]);
  });

  it("end when their signal aborts, and say nothing then; the server sees it", async () => {
    let gone: () => void = () => {};
    const closed = new Promise<void>((resolve) => (gone = resolve));
    const { url } = await serve((request, response) => {
      request.on("close", gone);
      response.write("{}\n");
    });
    const { heard, stop } = open(lines(url));
    await heard.first(2);
    stop.abort();
    await closed;
    expect(heard.all).toEqual(["opened", "{}"]);
  });

  it("tell of a server that is not there, and of one that breaks off", async () => {
    const { url, server } = await serve((_, response) => {
      response.write("{}\n");
      later(() => response.destroy());
    });
    const broken = open(lines(url));
    expect((await broken.heard.first(3))[2]).toMatch(/^failed: /);
    server.close();
    const away = open(lines("http://127.0.0.1:1/"));
    expect((await away.heard.first(1))[0]).toMatch(/^failed: /);
  });
});

const SSE = { "Content-Type": "text/event-stream" };

describe("eventStream", () => {
  it("reads events as the standard has them: ends of lines, comments, several lines of data, retry", async () => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, SSE);
      response.write(': hello\r\nretry: 50\r\nevent: added\r\nid: 7\r\ndata: {"id":\r');
      later(() => {
        response.write('\ndata:"a"}\r\n\r\ndata: {"id":"b"}\n\nevent: none\n\ndata\r\rdata: 1');
        response.end();
      });
    });
    const { heard } = open(eventStream(url, { init: () => ({ headers: { Authorization: "Bearer t" } }) }), {
      version: "6",
    });
    expect(await heard.first(7)).toEqual([
      "opened",
      "heard",
      "pace 50",
      'added: {"id":\n"a"}',
      '{"id":"b"}',
      "heard",
      "closed",
    ]);
    expect(requests[0]?.headers).toMatchObject({ "last-event-id": "6", authorization: "Bearer t" });
  });

  it("puts the id and the name beside the data, untouched", async () => {
    const { url } = await serve((_, response) => {
      response
        .writeHead(200, SSE)
        .end('id: 7\nevent: added\ndata: {"n":12345678901234567890}\n\nevent: ping\ndata:\n\n');
    });
    const { heard } = open(eventStream(url, { framing: "envelope" }));
    expect((await heard.first(4)).slice(1, 3)).toEqual([
      '{"id":"7","event":"added","data":{"n":12345678901234567890}}',
      '{"id":"7","event":"ping","data":null}',
    ]);
  });

  it("takes no other type for a stream of events", async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { "Content-Type": "text/html" }).end("<p>"),
    );
    const { heard } = open(eventStream(url));
    expect((await heard.first(2))[1]).toBe("failed: answers text/html, not text/event-stream");
  });
});

describe("eventSource", () => {
  it("tells events of the feed's words, and does not open another stream by itself", async () => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, SSE);
      response.write('id: 1\nevent: made\ndata: {"id":"a"}\n\ndata: {"id":"b"}\n\nretry: 1\n\n');
      later(() => response.end());
    });
    const feed = { words: { added: ["made"] } };
    const { heard } = open(
      eventSource((call) => `${url}/?after=${call.version}`, { EventSource, feed }),
      {
        version: "9",
      },
    );
    expect(await heard.first(4)).toEqual(["opened", 'made: {"id":"a"}', '{"id":"b"}', "closed"]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(requests.map((request) => request.url)).toEqual(["/?after=9"]);
  });

  it("tells that it cannot be opened, and that there is none", async () => {
    const { url } = await serve((_, response) => response.writeHead(503).end());
    const { heard } = open(eventSource(url, { EventSource }));
    expect(await heard.first(1)).toEqual(["failed: the event source cannot be opened"]);
    const none = open(eventSource(url));
    expect(await none.heard.first(1)).toEqual([
      "failed: there is no EventSource here: give one in the options",
    ]);
  });
});

const Socket = WebSocket as unknown as new (url: string) => SocketLike;

/** A WebSocket server on the loopback. */
async function sockets(): Promise<{ url: string; server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise<void>((resolve) => server.on("listening", resolve));
  ends.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/zones`, server };
}

describe("webSocket", () => {
  it("greets, tells text and bytes, beats, and says how it ended", async () => {
    const { url, server } = await sockets();
    const got: string[] = [];
    server.on("connection", (socket) => {
      socket.on("message", (data) => {
        got.push(String(data));
        if (got.length === 1) {
          socket.send('{"id":"a"}');
          socket.send(Buffer.from('{"id":"b"}'));
        } else socket.close(1001);
      });
    });
    const heartbeat = { every: 10, text: "beat" };
    const greeting = (call: StreamCall) => `from ${call.sequence}`;
    const { heard } = open(webSocket(url, { WebSocket: Socket, greeting, heartbeat }), { sequence: 4 });
    expect(await heard.first(4)).toEqual(["opened", '{"id":"a"}', '{"id":"b"}', "closed"]);
    expect(got.slice(0, 2)).toEqual(["from 4", "beat"]);
  });

  it("tells of one that breaks, of one that the server ends with a reason, and of none", async () => {
    const { url, server } = await sockets();
    server.once("connection", (socket) => socket.terminate());
    const broken = open(webSocket(url, { WebSocket: Socket }));
    expect((await broken.heard.first(2))[1]).toBe("failed: the WebSocket was closed: code 1006");
    server.once("connection", (socket) => socket.close(4001, "too slow"));
    const ended = open(webSocket(url, { WebSocket: Socket }));
    expect((await ended.heard.first(2))[1]).toBe("failed: the WebSocket was closed: too slow (4001)");
    const away = open(webSocket("ws://127.0.0.1:1/", { WebSocket: Socket }));
    expect((await away.heard.first(1))[0]).toBe("failed: the WebSocket was closed: code 1006");
  });

  it("is closed when its signal aborts", async () => {
    const { url, server } = await sockets();
    const code = new Promise<number>((resolve) =>
      server.on("connection", (socket) => socket.on("close", resolve)),
    );
    const { heard, stop } = open(webSocket(url, { WebSocket: Socket }));
    await heard.first(1);
    stop.abort();
    expect(await code).toBe(1000);
  });
});

function watching(options: WatchOptions, given: Options = {}) {
  const cache = new ResourceCache<Zone>(given);
  ends.push(() => cache.close());
  const problems: string[] = [];
  const running = watch(cache, { onProblem: (problem) => problems.push(problem), ...options });
  const shows = async (...ids: string[]) => {
    const seen = () => cache.getSnapshot().map((row) => row.id);
    while (seen().join() !== ids.join()) {
      await new Promise<void>((resolve) => {
        const stop = cache.subscribe(() => (stop(), resolve()));
      });
    }
  };
  return { cache, running, shows, problems };
}

describe("a watch over real connections", () => {
  it("follows a list and a stream made as Kubernetes', over a break", async () => {
    const item = (name: string, version: string) => ({ metadata: { name, resourceVersion: version } });
    const line = (type: string, name: string, version: string) =>
      `${JSON.stringify({ type, object: item(name, version) })}\n`;
    const { url, requests } = await serve((request, response) => {
      const query = new URL(request.url ?? "", "http://server").searchParams;
      if (query.get("watch") === null) {
        response.end(JSON.stringify({ metadata: { resourceVersion: "10" }, items: [item("a", "4")] }));
      } else if (query.get("resourceVersion") === "10") {
        response.write(line("ADDED", "b", "11"));
        later(() => response.destroy());
      } else {
        response.write(line("DELETED", "a", "12"));
      }
    });
    const settings = { backoff: { linear: { step: 1 } } };
    const options = { ...kubernetes(`${url}/pods`), settings };
    const { running, shows } = watching(options, {
      schema: kubernetesSchema,
      config: { versionOrder: "integer" },
    });
    await shows("b");
    expect(running.position).toEqual({ version: "12" });
    const asked = requests.map((request) =>
      new URL(request.url ?? "", url).searchParams.get("resourceVersion"),
    );
    expect(asked).toEqual([null, "10", "11"]);
  });

  it("follows a list and a WebSocket, and lists again after a break", async () => {
    const { url, server } = await sockets();
    let zones = [{ id: "a" }];
    const api = await serve((_, response) => response.end(JSON.stringify(zones)));
    const { running, shows } = watching({
      list: ({ signal }) => fetch(api.url, { signal }),
      stream: webSocket(url, { WebSocket: Socket }),
      feed: { word: "/type", resource: "/zone" },
      settings: { backoff: { linear: { step: 1 } }, listInterval: 0 },
    });
    await running.synced();
    await shows("a");
    for (const client of server.clients) client.send('{"type":"added","zone":{"id":"b"}}');
    await shows("a", "b");
    zones = [{ id: "b" }, { id: "c" }];
    for (const client of server.clients) client.terminate();
    await shows("b", "c");
  });
});

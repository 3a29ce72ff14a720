/** Streams over `fetch`, whose body is read as it comes. */

import { retryAfterOf } from "../responses.js";
import { tell, type EventOptions, type ServerSentEvent } from "./events.js";
import {
  addressOf,
  problemOf,
  type Address,
  type ListCall,
  type Receiver,
  type StreamCall,
  type Transport,
} from "./transport.js";

/** How a stream is fetched. */
export interface FetchOptions {
  /** Headers and the like; a function is asked before each call, so that a token is a fresh one. */
  readonly init?: RequestInit | (() => RequestInit | Promise<RequestInit>);
  /** Default the platform's. */
  readonly fetch?: typeof fetch;
  /** How many characters one message may have; a longer one breaks the stream. Default 64 Mi. */
  readonly maxMessage?: number;
}

const MAX_MESSAGE = 64 * 1024 * 1024;

/** A stream of JSON texts, one a line, as Kubernetes' watches are: the call's query is added to the address. */
export function lines(address: Address, options: FetchOptions = {}): Transport {
  return (call, to) => {
    const url = addressOf(address, call);
    if (typeof address !== "function")
      for (const [name, value] of call.query) url.searchParams.set(name, value);
    void read(url, {}, { call, to, options }, async (body) => {
      for await (const line of linesOf(body, "\n", options)) {
        if (line.trim() === "") to.heard();
        else to.message(line);
      }
    });
  };
}

/**
 * A stream of server-sent events by `fetch`: unlike `EventSource` it sends headers, and tells statuses, `Retry-After`
 * and the stream's own `retry:`. The last version or number goes into `Last-Event-ID`.
 */
export function eventStream(address: Address, options: FetchOptions & EventOptions = {}): Transport {
  return (call, to) => {
    const headers: Record<string, string> = { Accept: "text/event-stream", "Cache-Control": "no-store" };
    const last = call.version ?? call.sequence;
    if (last !== null) headers["Last-Event-ID"] = String(last);
    void read(addressOf(address, call), headers, { call, to, options }, async (body, type) => {
      if (!/^text\/event-stream\b/i.test(type))
        throw new Error(`answers ${type || "no type"}, not text/event-stream`);
      const parts = new EventParts(to);
      for await (const line of linesOf(body, /\r\n|\n|\r/, options)) {
        const event = parts.take(line);
        if (event !== undefined) tell(to, options.framing, event);
      }
    });
  };
}

/** A collection of Kubernetes' API, or of one that is made like it: its list, and the stream of its changes. */
export function kubernetes(
  address: string | URL,
  options: FetchOptions = {},
): { readonly list: (call: ListCall) => Promise<Response>; readonly stream: Transport } {
  return {
    async list(call) {
      const page = (globalThis as { location?: { href?: string } }).location?.href;
      const url = new URL(address, page);
      for (const [name, value] of call.query) url.searchParams.set(name, value);
      return (options.fetch ?? fetch)(url, { ...(await initOf(options)), signal: call.signal });
    },
    stream: lines(address, options),
  };
}

interface Reading {
  readonly call: StreamCall;
  readonly to: Receiver;
  readonly options: FetchOptions;
}

/** Opens a stream, and has its body read. */
async function read(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { call, to, options }: Reading,
  consume: (body: ReadableStream<Uint8Array>, type: string) => Promise<void>,
): Promise<void> {
  try {
    const init = await initOf(options);
    const all = new Headers(init.headers);
    for (const [name, value] of Object.entries(headers)) if (!all.has(name)) all.set(name, value);
    const answer = await (options.fetch ?? fetch)(url, { ...init, headers: all, signal: call.signal });
    if (answer.status !== 200) {
      to.refused(answer.status, await answer.text(), retryAfterOf(answer.headers));
      return;
    }
    if (answer.body === null) throw new Error("the answer has no body");
    to.opened();
    await consume(answer.body, answer.headers.get("content-type") ?? "");
    to.closed();
  } catch (problem) {
    if (!call.signal.aborted) to.failed(problemOf(problem));
  }
}

function initOf({ init }: FetchOptions): RequestInit | Promise<RequestInit> {
  return typeof init === "function" ? init() : (init ?? {});
}

/** The lines of a body. What it breaks off within a line is none. */
async function* linesOf(
  body: ReadableStream<Uint8Array>,
  end: string | RegExp,
  { maxMessage = MAX_MESSAGE }: FetchOptions,
): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let waiting: string[] = [];
  let length = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      let text = decoder.decode(part.value, { stream: true });
      // A carriage return may be the first half of an end: the next part tells.
      const last = waiting.at(-1);
      if (typeof end !== "string" && last?.endsWith("\r")) {
        waiting.pop();
        text = last + text;
        length -= last.length;
      }
      const held = typeof end !== "string" && text.endsWith("\r") ? "\r" : "";
      const [first = "", ...rest] = text.slice(0, text.length - held.length).split(end);
      waiting.push(first);
      length += first.length;
      for (const next of rest) {
        yield waiting.join("");
        waiting = [next];
        length = next.length;
      }
      if (held !== "") waiting.push(held);
      if (length > maxMessage) throw new Error(`a message is longer than ${maxMessage} characters`);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The fields of one event, until the blank line behind it (HTML, 9.2.6). */
class EventParts {
  readonly #to: Receiver;
  #data: string[] = [];
  #word = "";
  #id = "";

  constructor(to: Receiver) {
    this.#to = to;
  }

  take(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#whole();
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.#to.heard();
      return undefined;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#word = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.#to.pace(Number(value));
    return undefined;
  }

  #whole(): ServerSentEvent | undefined {
    const event = { word: this.#word || "message", data: this.#data.join("\n"), id: this.#id };
    const has = this.#data.length > 0;
    [this.#data, this.#word] = [[], ""];
    return has ? event : undefined;
  }
}

/** A stream of server-sent events, by the platform's `EventSource`. */

import { wordsOf, type Feed } from "./settings.js";
import { addressOf, problemOf, type Address, type Transport } from "./transport.js";

/** How server-sent events become messages. */
export interface EventOptions {
  /** How the feed's events are named: a browser tells only of names that it was asked for. */
  readonly feed?: Feed;
  /**
   * `data`: the event's data are the message, its name is the word beside it. `envelope`: the message is an object of
   * `id`, `event` and `data`, so that the feed can point at the id: `version: "/id"`.
   */
  readonly framing?: "data" | "envelope";
}

/** What of an event source is used: the platform's has more. */
export interface SourceLike {
  readonly readyState: number;
  addEventListener(
    type: string,
    listener: (event: { readonly data?: unknown; readonly lastEventId?: string }) => void,
  ): void;
  close(): void;
}

/** How an event source is opened. */
export interface SourceOptions extends EventOptions {
  /** Whether cookies go to another origin. */
  readonly withCredentials?: boolean;
  /** Default the platform's. */
  readonly EventSource?: new (url: string, options?: { withCredentials: boolean }) => SourceLike;
}

const CLOSED = 2;

/**
 * A stream of server-sent events by `EventSource`, which shows neither statuses nor headers, and can send none: where a
 * token or `Retry-After` matters, take `eventStream`. It would go on by itself; here the watch decides when, and opens
 * another one: where it goes on from a version, put that into the address.
 */
export function eventSource(address: Address, options: SourceOptions = {}): Transport {
  return (call, to) => {
    let source: SourceLike;
    try {
      const Source =
        options.EventSource ?? (globalThis as { EventSource?: SourceOptions["EventSource"] }).EventSource;
      if (Source === undefined) throw new Error("there is no EventSource here: give one in the options");
      source = new Source(addressOf(address, call).href, {
        withCredentials: options.withCredentials ?? false,
      });
    } catch (problem) {
      to.failed(problemOf(problem));
      return;
    }
    let wasOpen = false;
    source.addEventListener("open", () => {
      wasOpen = true;
      to.opened();
    });
    source.addEventListener("error", () => {
      const ended = wasOpen && source.readyState !== CLOSED;
      source.close();
      // A server that ends the stream and a network that breaks it look the same.
      if (ended) to.closed();
      else to.failed("the event source cannot be opened");
    });
    for (const word of new Set(["message", ...wordsOf(options.feed)])) {
      source.addEventListener(word, ({ data, lastEventId }) => {
        tell(to, options.framing, { word, data: String(data ?? ""), id: lastEventId ?? "" });
      });
    }
    call.signal.addEventListener("abort", () => source.close());
  };
}

/** One event as it came. */
export interface ServerSentEvent {
  readonly word: string;
  readonly data: string;
  readonly id: string;
}

/** Tells an event as a message. */
export function tell(
  to: Parameters<Transport>[1],
  framing: EventOptions["framing"],
  { word, data, id }: ServerSentEvent,
): void {
  if (framing === "envelope") {
    // The data as they are, so that no number in them is rounded.
    const blank = data.trim() === "" ? "null" : data;
    to.message(`{"id":${JSON.stringify(id)},"event":${JSON.stringify(word)},"data":${blank}}`);
  } else if (data.trim() === "") {
    to.heard();
  } else {
    to.message(data, word === "message" ? undefined : word);
  }
}

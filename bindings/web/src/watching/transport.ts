/** What a watch asks of a server, and what it is told: the border that transports of your own stand at. */

/** A list call that a watch asks for. */
export interface ListCall {
  /** How many items it is to answer at most; null all. */
  readonly limit: number | null;
  /** Goes on with a list of which a part has come. */
  readonly continueToken: string | null;
  /** The list must not be older than this version: an older one would take back what was seen. */
  readonly notOlderThan: string | null;
  /** All of it in Kubernetes' words. */
  readonly query: URLSearchParams;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What a list call answers. */
export type ListAnswer = Response | ArrayBuffer | Uint8Array | string;

/** A stream that a watch asks for. */
export interface StreamCall {
  /** The version from which it goes on, for watches that resume so. */
  readonly version: string | null;
  /** The number behind which it goes on, for watches that resume so. */
  readonly sequence: number | null;
  /** Whether it is to begin with all there is. */
  readonly initialEvents: boolean;
  /** All of it in Kubernetes' words. */
  readonly query: URLSearchParams;
  /** Aborts when the stream is to be closed. */
  readonly signal: AbortSignal;
}

/** Takes what comes of a stream. What comes after its end is passed over. */
export interface Receiver {
  opened(): void;
  /** Something was heard that is no message. */
  heard(): void;
  /** A message, and perhaps the word beside it. */
  message(text: string, word?: string): void;
  /** The server asks for so many milliseconds between streams. */
  pace(ms: number): void;
  /** It broke, or could not be opened. */
  failed(problem: string): void;
  /** The server answered with an HTTP status that is none of success. */
  refused(status: number, body: string, retryAfter?: number): void;
  /** The server ended it as streams end. */
  closed(): void;
}

/** Opens a stream, and closes it when the call's signal aborts. It throws nothing. */
export type Transport = (call: StreamCall, to: Receiver) => void;

/** Where a stream is: one address, or one for each call. */
export type Address = string | URL | ((call: StreamCall) => string | URL);

export function addressOf(address: Address, call: StreamCall): URL {
  const found = typeof address === "function" ? address(call) : address;
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  return new URL(found, page);
}

/** What to tell of something that was thrown. */
export function problemOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message}` : "";
  return (thrown.message || thrown.name) + cause;
}

/** A stream over a WebSocket. */

import { addressOf, problemOf, type Address, type Transport } from "./transport.js";

/** What of a WebSocket is used: the platform's has more. */
export interface SocketLike {
  binaryType: string;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** How a WebSocket is opened. */
export interface SocketOptions {
  readonly protocols?: string | string[];
  /** What to send when it is open: a subscription. */
  readonly greeting?: string | ((call: Parameters<Transport>[0]) => string);
  /** What to send, and how often, so that proxies keep it open. A browser's WebSocket cannot ping. */
  readonly heartbeat?: { readonly every: number; readonly text: string };
  /** Default the platform's. */
  readonly WebSocket?: new (url: string, protocols?: string | string[]) => SocketLike;
}

/** The reasons for which servers end streams in health (RFC 6455, 7.4.1): done, or going away. */
const ENDS = new Set([1000, 1001]);

/** A stream over a WebSocket: each message is one of the feed's. */
export function webSocket(address: Address, options: SocketOptions = {}): Transport {
  return (call, to) => {
    let socket: SocketLike;
    try {
      const url = addressOf(address, call);
      url.protocol = url.protocol.replace(/^http/, "ws");
      const Socket =
        options.WebSocket ?? (globalThis as { WebSocket?: SocketOptions["WebSocket"] }).WebSocket;
      if (Socket === undefined) throw new Error("there is no WebSocket here: give one in the options");
      socket = new Socket(url.href, options.protocols);
    } catch (problem) {
      to.failed(problemOf(problem));
      return;
    }
    socket.binaryType = "arraybuffer";
    const beats = new Heartbeat(options, socket);
    socket.addEventListener("open", () => {
      const { greeting } = options;
      if (greeting !== undefined) socket.send(typeof greeting === "string" ? greeting : greeting(call));
      beats.start();
      to.opened();
    });
    socket.addEventListener("message", ({ data }) => to.message(textOf(data)));
    // The close that follows says what there is to say.
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", ({ code, reason }) => {
      beats.stop();
      if (ENDS.has(code)) to.closed();
      else to.failed(`the WebSocket was closed: ${reason === "" ? `code ${code}` : `${reason} (${code})`}`);
    });
    call.signal.addEventListener("abort", () => {
      beats.stop();
      socket.close(1000);
    });
  };
}

class Heartbeat {
  readonly #options: SocketOptions;
  readonly #socket: SocketLike;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SocketOptions, socket: SocketLike) {
    this.#options = options;
    this.#socket = socket;
  }

  start(): void {
    const { heartbeat } = this.#options;
    if (heartbeat === undefined) return;
    this.#timer = setInterval(() => this.#socket.send(heartbeat.text), heartbeat.every);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function textOf(data: unknown): string {
  if (data instanceof ArrayBuffer) return new TextDecoder().decode(data);
  return String(data);
}

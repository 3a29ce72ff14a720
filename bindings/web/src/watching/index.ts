export { eventSource, type EventOptions, type SourceLike, type SourceOptions } from "./events.js";
export { eventStream, kubernetes, lines, type FetchOptions } from "./fetching.js";
export type { Feed, FeedWords, Position, WatchSettings } from "./settings.js";
export { webSocket, type SocketLike, type SocketOptions } from "./socket.js";
export type { WatchFailure, WatchState } from "./states.js";
export type { Address, ListAnswer, ListCall, Receiver, StreamCall, Transport } from "./transport.js";
export { watch, type Watch, type WatchOptions } from "./watch.js";

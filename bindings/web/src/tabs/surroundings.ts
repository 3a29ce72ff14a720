/** What of a browser lets tabs know of each other. */

/** What of a `BroadcastChannel` is used. */
export interface ChannelLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** What of `navigator.locks` is used. */
export interface LocksLike {
  request<R>(name: string, options: { signal?: AbortSignal }, work: () => Promise<R>): Promise<R>;
}

/** A channel of that name; none where there are no channels. */
export function channelOf(
  name: string,
  Channel: (new (name: string) => ChannelLike) | null | undefined,
): ChannelLike | undefined {
  const Found =
    Channel === undefined
      ? (globalThis as { BroadcastChannel?: new (name: string) => ChannelLike }).BroadcastChannel
      : (Channel ?? undefined);
  if (Found === undefined) return undefined;
  const channel = new Found(name);
  // Node keeps the process alive for it.
  (channel as { unref?(): void }).unref?.();
  return channel;
}

export function locksOf(given: LocksLike | null | undefined): LocksLike | undefined {
  if (given !== undefined) return given ?? undefined;
  return (globalThis as { navigator?: { locks?: LocksLike } }).navigator?.locks;
}

/** Keeps a cache right by a list and a stream of events. */

import { BrokenError } from "../errors.js";
import { hosted, type Hosted, type Target } from "../host.js";
import { guarded, loaded, type RawSession } from "../load.js";
import { onNetwork, seemsOnline } from "../network.js";
import { coreJson, randomSeed } from "../options.js";
import { isResponse, retryAfterOf } from "../responses.js";
import { Polling } from "./polling.js";
import type { Feed, Position, WatchSettings } from "./settings.js";
import { bytesOf, stateOf, type Action, type Asked, type Step } from "./session.js";
import { States, type WatchState } from "./states.js";
import {
  problemOf,
  type ListAnswer,
  type ListCall,
  type Receiver,
  type StreamCall,
  type Transport,
} from "./transport.js";

/** How a cache is watched. */
export interface WatchOptions {
  /** Asks the server for its list. */
  readonly list: (call: ListCall) => Promise<ListAnswer>;
  /** Opens a stream of what changes. */
  readonly stream: Transport;
  /** How the stream's messages are read; as Kubernetes' events without it. */
  readonly feed?: Feed;
  readonly settings?: WatchSettings;
  /** From where to go on: a position that was saved with the cache's state. Without it, it begins with a list. */
  readonly position?: Position;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /**
   * How often to list because the TTL of an operation is over and the stream has not decided it, in milliseconds; null
   * never. Default 30,000. Where a list ends the stream (`resume: "version"`), the stream is left so long first.
   */
  readonly pollEvery?: number | null;
  /** Told of messages and lists that cannot be read, and of what could not be kept. Default a warning on the console. */
  readonly onProblem?: (problem: string) => void;
}

/**
 * Lists, opens the stream, goes on from the last version when it breaks, lists again when that is forgotten, and waits
 * after failures: until its signal aborts or the cache is closed. It follows the browser's `online` and `offline`, of
 * which it tells the cache's outbox too. It decides nothing itself: the core's session does.
 */
export function watch<T extends object>(target: Target<T>, options: WatchOptions): Watch<T> {
  return new Watch(hosted(target), options);
}

/** A watch that runs; to iterate over it gives its states, the present one first. */
export class Watch<T extends object> implements AsyncIterable<WatchState> {
  readonly #host: Hosted<T>;
  readonly #options: WatchOptions;
  readonly #polling: Polling;
  readonly #states: States;
  readonly #calls = new Map<number, AbortController>();
  readonly #leave: (() => void)[] = [];
  #session: RawSession | undefined;
  /** What is to be taken, in order. */
  #steps: Step[] = [];
  #busy = false;
  #acting = false;
  #forget: (() => void) | undefined;
  #wakeAt: number | undefined;
  /** How long the server asked us to wait between streams. */
  #pace: number | undefined;
  #problem: unknown;

  /** @internal */
  constructor(host: Hosted<T>, options: WatchOptions) {
    this.#host = host;
    this.#options = options;
    this.#polling = new Polling(options.pollEvery === undefined ? 30_000 : options.pollEvery);
    const { feed, position, settings = {}, signal } = options;
    const { WatchSession } = loaded();
    const texts = [coreJson(settings), feed && coreJson(feed), position && JSON.stringify(position)] as const;
    this.#session = host.cache.ask((raw) => new WatchSession(raw, ...texts, randomSeed()));
    this.#states = new States(this.#look());
    const stop = () => this.stop();
    signal?.addEventListener("abort", stop, { once: true });
    this.#leave.push(
      () => signal?.removeEventListener("abort", stop),
      host.cache.onClose(stop),
      host.cache.afterCalls(() => this.#called()),
      onNetwork((online) => this.setOnline(online)),
    );
    if (signal?.aborted) this.stop();
    else if (!seemsOnline()) this.setOnline(false);
    else this.#run();
  }

  /** What it is about now, and why it last failed. */
  get current(): WatchState {
    return this.#states.current;
  }

  /** From where another watch could go on with the cache as it is now; undefined where it would begin with a list. */
  get position(): Position | undefined {
    return this.current.position;
  }

  /** Waits until all that the server has told so far is in the cache; rejects when the watch ends before. */
  async synced(): Promise<void> {
    for await (const { synced } of this) if (synced) return;
    throw new DOMException("the watch has ended", "AbortError");
  }

  /** Waits until it ends; rejects when a fault of the cache ends it. */
  async ended(): Promise<void> {
    for await (const state of this) void state;
  }

  /** Lists again, as soon as the settings allow: something may have been missed. */
  relist(): void {
    this.#take((session, _, now) => session.relist(now));
  }

  /** Whether there is a network: the watch is told, and the cache's outbox. */
  setOnline(online: boolean): void {
    this.#take((session, _, now) => {
      session.set_online(online, now);
      this.#host.cache.setOnline(online);
    });
  }

  /** Ends it. Its calls are aborted; the cache stays as it is. */
  stop(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    for (const leave of this.#leave) leave();
    this.#forget?.();
    for (const call of this.#calls.values())
      call.abort(new DOMException("the watch has ended", "AbortError"));
    this.#calls.clear();
    this.#states.end(this.#problem);
    // Not while it runs.
    queueMicrotask(() => {
      if (!(this.#problem instanceof BrokenError)) session.free();
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchState, undefined> {
    return this.#states.iterate();
  }

  #take(step: Step): void {
    if (this.#session === undefined) return;
    this.#steps.push(step);
    this.#run();
  }

  /** Has the session take what waits, and does what it asks for. */
  #run(): void {
    if (this.#busy || this.#session === undefined) return;
    this.#busy = true;
    try {
      const done = this.#host.within(() => this.#act());
      if (done instanceof Promise) {
        done.then(
          (asked) => this.#ran(asked),
          (problem: unknown) => this.#broke(problem),
        );
      } else this.#ran(done);
    } catch (problem) {
      this.#broke(problem);
    }
  }

  #ran(asked: readonly Action<T>[]): void {
    this.#busy = false;
    if (this.#session === undefined) return;
    for (const action of asked) this.#do(action);
    this.#states.set(this.#look());
    if (this.#steps.length > 0) this.#run();
    else this.#wakeLater();
  }

  /** What was done could not be kept, and is undone: a list brings it again. */
  #broke(problem: unknown): void {
    this.#busy = false;
    if (this.#session === undefined) return;
    if (problem instanceof BrokenError || this.#host.cache.isClosed) {
      this.#problem = problem;
      this.stop();
      return;
    }
    this.#tell(problemOf(problem));
    const again = this.#host.cache.clock.now() + 1_000;
    this.#forget?.();
    this.#wakeAt = again;
    this.#forget = this.#host.cache.clock.wake(again, () => {
      this.#wakeAt = undefined;
      this.#take((session, _, now) => session.relist(now));
    });
  }

  /** Somebody else changed something: a list may be of use sooner. Many calls in a row are looked at once. */
  #called(): void {
    if (this.#acting) return;
    this.#polling.lookAt(this.#host.cache.clock.now());
    this.#wakeLater();
  }

  #act(): Action<T>[] {
    this.#acting = true;
    try {
      return this.#actions();
    } finally {
      this.#acting = false;
    }
  }

  /** Everything that may be done now; what is to be done outside of the cache is answered. */
  #actions(): Action<T>[] {
    const { cache } = this.#host;
    const asked: Action<T>[] = [];
    this.#pollList();
    const steps = this.#steps;
    this.#steps = [];
    for (const step of [...steps, undefined]) {
      if (step !== undefined) this.#hand(step);
      for (let action = this.#next(); action !== undefined; action = this.#next()) {
        if ("applied" in action) cache.told(action.applied);
        else if ("refused" in action) this.#tell(`an event was refused: ${action.refused}`);
        else asked.push(action);
      }
    }
    return asked;
  }

  #hand(step: Step): void {
    const { cache } = this.#host;
    const session = this.#session;
    if (session === undefined) return;
    const problem = cache.ask((raw) => step(session, raw, cache.clock.now()));
    if (problem !== undefined) this.#tell(problem as string);
  }

  #next(): Action<T> | undefined {
    const { cache } = this.#host;
    const session = this.#session;
    const text = session && cache.ask((raw) => session.poll(raw, cache.clock.now()));
    return text === undefined ? undefined : (JSON.parse(text) as Action<T>);
  }

  /** Has the session list again, where that is of use. */
  #pollList(): void {
    const { cache } = this.#host;
    const session = this.#session;
    const now = cache.clock.now();
    if (session === undefined || !this.#polling.isDue(cache.nextTimeout, now)) return;
    // Since when: of what has been of use for a while, the collection would say `now`.
    const since = cache.ask((raw) => raw.next_poll(-Infinity));
    const lists = this.#polling.decide(since, this.#listsEndStreams, now);
    if (lists && guarded(() => session.is_synced())) guarded(() => session.relist(now));
  }

  get #listsEndStreams(): boolean {
    const { feed, settings } = this.#options;
    return (settings?.resume ?? (feed === undefined ? "version" : "nowhere")) === "version";
  }

  #do(action: Action<T>): void {
    if ("list" in action) void this.#list(action.list);
    else if ("watch" in action) this.#open(action.watch);
    else if ("close" in action) this.#end(action.close);
  }

  #begin(call: number): AbortController {
    const own = new AbortController();
    this.#calls.set(call, own);
    return own;
  }

  #end(call: number): void {
    this.#calls.get(call)?.abort(new DOMException("nobody waits for it any more", "AbortError"));
    this.#calls.delete(call);
  }

  async #list({ call, query, ...asked }: Omit<ListCall, "query" | "signal"> & Asked): Promise<void> {
    const { signal } = this.#begin(call);
    try {
      const answer = await this.#options.list({ ...asked, query: new URLSearchParams(query), signal });
      if (isResponse(answer) && answer.status !== 200) {
        this.#refused(call, answer.status, await answer.text(), retryAfterOf(answer.headers));
        return;
      }
      const bytes = await bytesOf(answer);
      this.#take((session, raw, now) =>
        session.handle_list(raw, call, this.#host.cache.put(raw, bytes), now),
      );
    } catch (problem) {
      if (!signal.aborted) this.#failed(call, problemOf(problem));
    } finally {
      this.#calls.delete(call);
    }
  }

  #open({ call, query, ...asked }: Omit<StreamCall, "query" | "signal"> & Asked): void {
    const own = this.#begin(call);
    const { feed, stream } = this.#options;
    const ifOpen = (step: () => void) => {
      if (this.#calls.get(call) === own) step();
    };
    const over = (step: () => void) => {
      ifOpen(() => {
        this.#calls.delete(call);
        step();
      });
    };
    const to: Receiver = {
      opened: () => ifOpen(() => this.#take((session, _, now) => session.handle_opened(call, now))),
      heard: () => ifOpen(() => this.#take((session, _, now) => session.handle_heard(call, now))),
      message: (text, word) => {
        // A feed that has words of its own needs none beside it.
        const beside = feed?.word === undefined ? word : undefined;
        ifOpen(() => this.#take((session, _, now) => session.handle_message(call, text, beside, now)));
      },
      pace: (ms) => (this.#pace = ms),
      failed: (problem) => over(() => this.#failed(call, problem)),
      refused: (status, body, wait) => over(() => this.#refused(call, status, body, wait)),
      closed: () => over(() => this.#closed(call)),
    };
    stream({ ...asked, query: new URLSearchParams(query), signal: own.signal }, to);
  }

  #failed(call: number, problem: string): void {
    if (this.#pace !== undefined) this.#refused(call, 0, problem, this.#pace);
    else this.#take((session, _, now) => session.handle_failed(call, problem, now));
  }

  #refused(call: number, status: number, body: string, wait = this.#pace): void {
    this.#take((session, _, now) => session.handle_status(call, status, body, wait, now));
  }

  #closed(call: number): void {
    if (this.#pace !== undefined) this.#failed(call, "the server ended the stream");
    else this.#take((session, _, now) => session.handle_closed(call, now));
  }

  #tell(problem: string): void {
    const { onProblem = (text: string) => console.warn(`resourcecache: ${text}`) } = this.#options;
    onProblem(problem);
  }

  /** Wakes when the session or the lists for what is pending have something to do. */
  #wakeLater(): void {
    const { cache } = this.#host;
    const session = this.#session;
    if (session === undefined || this.#busy || cache.isClosed) return;
    const now = cache.clock.now();
    const times = [guarded(() => session.poll_timeout()), this.#polling.at, cache.nextTimeout];
    const at = Math.min(...times.filter((time) => time !== undefined));
    // At least a little, so that a clock that stands does not make it spin.
    const due = Math.max(at, now + 1);
    if (due === this.#wakeAt) return;
    this.#forget?.();
    this.#wakeAt = Number.isFinite(due) ? due : undefined;
    this.#forget = this.#wakeAt === undefined ? undefined : cache.clock.wake(due, () => this.#wake());
  }

  #wake(): void {
    this.#wakeAt = undefined;
    this.#forget = undefined;
    this.#run();
  }

  #look(): WatchState {
    const session = this.#session;
    if (session === undefined) return this.#states.current;
    return stateOf(session);
  }
}

/** One cache of many tabs. */

import type { ResourceCache } from "../cache.js";
import type { Forget } from "../clock.js";
import { hosted, type Host } from "../host.js";
import { init } from "../load.js";
import { seemsOnline } from "../network.js";
import { coreJson, randomSeed, type Options } from "../options.js";
import { Database, type DatabaseOptions } from "../persistence/database.js";
import { StoreError, storeError } from "../persistence/errors.js";
import { onLeaving } from "../persistence/leaving.js";
import { creating, deleting, processing, updating } from "../scopes.js";
import type { ProcessScope, Scope, ScopeOptions } from "../scopes.js";
import { either } from "../signals.js";
import { send, type SendOptions, type Sent } from "../sending.js";
import type { Attempt, Json, Patch } from "../types.js";
import { Ledger, type Missed, type Whole } from "./ledger.js";
import { lastTimeOf, Replica } from "./replica.js";
import { channelOf, locksOf, type ChannelLike, type LocksLike } from "./surroundings.js";

/** How a cache is shared. */
export interface SharedOptions extends Options, DatabaseOptions {
  /** Told of what could not be kept or read; see `StoreError`. Default `console.error`. */
  readonly onError?: (problem: StoreError) => void;
  /** After how many commits the whole state is stored, so that opening need not go through all events. Default 100. */
  readonly wholeEvery?: number;
  /** By which tabs tell each other that there is something to read; null for none. Default the platform's. */
  readonly BroadcastChannel?: (new (name: string) => ChannelLike) | null;
  /** By which one tab sends; null for none. Default `navigator.locks`. */
  readonly locks?: LocksLike | null;
}

interface Job<T extends object> {
  readonly act: (cache: ResourceCache<T>) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (problem: unknown) => void;
}

/** Those after which going on is of no use. */
const FINAL = new Set(["newer", "gone", "closed"]);
/** So many characters of events are stored between whole states at least. */
const LEAST_LENGTH = 256 * 1024;
/** How long to wait before what was due is tried again, in milliseconds. */
const AGAIN = 1_000;

/**
 * Opens a cache that tabs share under a name. Give the same settings in all of them; where they differ, the tab that
 * opened last goes on, and the others are told (`newer`).
 *
 * Every change is an event in one order, which IndexedDB keeps: within one transaction a tab reads what the others have
 * committed, makes its changes, and writes them. So all tabs go through the same states, and no two begin an operation
 * under the same number. Rejects with a `StoreError` where IndexedDB cannot be used.
 */
export async function openShared<T extends object = Record<string, Json>>(
  name: string,
  options: SharedOptions = {},
): Promise<Shared<T>> {
  await init();
  const database = await Database.open(name, options);
  const { seed: _, ...config } = options.config ?? {};
  const ledger = new Ledger(name, coreJson(config), database);
  try {
    return await Shared.open<T>(ledger, options);
  } catch (problem) {
    ledger.close();
    throw storeError(name, problem);
  }
}

/** One tab's part in a shared cache. */
export class Shared<T extends object> implements Host<T> {
  readonly #replica: Replica<T>;
  readonly #ledger: Ledger;
  readonly #options: SharedOptions;
  readonly #channel: ChannelLike | undefined;
  readonly #locks: LocksLike | undefined;
  readonly #leave: (() => void)[];
  /** Aborts when this tab can go on no more. */
  readonly #over = new AbortController();
  #ended = false;
  /** What the replica is at; -1 when it is at nothing that was committed. */
  #revision = -1;
  #stateLength = 0;
  #jobs: Job<T>[] = [];
  #readers: Pick<Job<T>, "resolve" | "reject">[] = [];
  #running: Promise<void> | undefined;
  #wakeAt: number | undefined;
  #forget: Forget | undefined;
  #failure: StoreError | undefined;

  private constructor(ledger: Ledger, options: SharedOptions, seed: number) {
    this.#ledger = ledger;
    this.#options = options;
    this.#replica = new Replica<T>({ ...options, config: { ...options.config, seed } });
    this.#locks = locksOf(options.locks);
    const { database = "resourcecache" } = options;
    this.#channel = channelOf(`${database}:${ledger.name}`, options.BroadcastChannel);
    if (this.#channel !== undefined) this.#channel.onmessage = ({ data }) => this.#heard(data);
    this.#leave = [
      this.#replica.afterCalls(() => this.#wakeLater()),
      this.#replica.onClose(() => this.#end()),
      // A tab that was frozen has heard nothing.
      onLeaving(
        () => {},
        () => this.#heard(undefined),
      ),
    ];
  }

  /** @internal */
  static async open<T extends object>(ledger: Ledger, options: SharedOptions): Promise<Shared<T>> {
    const first = (seed: number): Whole => {
      const empty = new Replica<T>({ ...options, config: { ...options.config, seed } });
      const [state, at] = [empty.save(), empty.clock.now()];
      empty.close();
      return { state, at };
    };
    const seed = await ledger.transact("readwrite", (stores) =>
      ledger.open(stores, options.config?.seed ?? randomSeed(), first),
    );
    const shared = new Shared<T>(ledger, options, seed);
    try {
      await shared.sync();
    } catch (problem) {
      shared.#end();
      throw problem;
    }
    // Those who have other settings are to notice.
    shared.#channel?.postMessage({ opened: true });
    if (shared.#channel === undefined) {
      const text = "there is no BroadcastChannel: what other tabs change shows with this tab's next change";
      shared.#tell(new StoreError("unavailable", ledger.name, text));
    }
    return shared;
  }

  /** To be read, by whatever shows it. It refuses to be changed but within `update`. */
  get cache(): ResourceCache<T> {
    return this.#replica;
  }

  /** Why this tab cannot go on; undefined while it can. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /**
   * Makes changes on top of all that the tabs have committed, and answers when they are committed. They show at once
   * when they are made, which is some milliseconds later; when they cannot be kept, they are taken back, and this
   * rejects. What is done must wait for nothing; of one that throws, the changes before stay.
   */
  update<R>(act: (cache: ResourceCache<T>) => R): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#jobs.push({ act, resolve: resolve as (result: unknown) => void, reject });
      this.#run();
    });
  }

  /** Takes what other tabs have committed. They tell by themselves; this waits for it. */
  sync(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#readers.push({ resolve: () => resolve(), reject });
      this.#run();
    });
  }

  /** As `ResourceCache.deleting`, for all tabs. */
  deleting<R>(id: string, call: (scope: Scope) => Promise<R>, options?: ScopeOptions): Promise<R> {
    return deleting(hosted<T>(this), id, call, options);
  }

  /** As `ResourceCache.updating`, for all tabs. */
  updating<R extends T | void>(
    id: string,
    patch: Patch<T>,
    call: (scope: Scope) => Promise<R>,
    options?: ScopeOptions,
  ): Promise<R> {
    return updating(hosted<T>(this), [id, patch], call, options);
  }

  /** As `ResourceCache.creating`, for all tabs. */
  creating<R extends T | void>(
    resource: T,
    call: (scope: Scope) => Promise<R>,
    options?: ScopeOptions,
  ): Promise<R> {
    return creating(hosted<T>(this), resource, call, options);
  }

  /** As `ResourceCache.processing`, for all tabs. */
  processing<R>(id: string, call: (scope: ProcessScope) => Promise<R>, options?: ScopeOptions): Promise<R> {
    return processing(hosted<T>(this), id, call, options);
  }

  /**
   * Runs work in one tab at a time: this one, once those that asked before are closed or done. The signal aborts when
   * the caller's does, or this tab's part is closed; undefined is answered when that came before its turn. Rejects with
   * a `StoreError` where there are no Web Locks.
   */
  async lead<R>(
    purpose: string,
    work: (signal: AbortSignal) => Promise<R>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<R | undefined> {
    const { database = "resourcecache" } = this.#options;
    if (this.#locks === undefined) {
      const text = "there are no Web Locks here, so that no tab can be chosen: nothing is done";
      throw new StoreError("unavailable", this.#ledger.name, text);
    }
    const { signal, release } = either(this.#over.signal, options.signal);
    let began = false;
    try {
      return await this.#locks.request(`${database}:${this.#ledger.name}:${purpose}`, { signal }, () => {
        began = true;
        return work(signal);
      });
    } catch (problem) {
      if (!began && signal.aborted) return undefined;
      throw problem;
    } finally {
      release();
    }
  }

  /** Sends what is queued by any tab, in one tab at a time: see `send`. */
  async send(
    call: (attempt: Attempt<T>, signal: AbortSignal) => Promise<Sent<T>>,
    options: SendOptions<T> = {},
  ): Promise<void> {
    const work = async (signal: AbortSignal) => {
      // The tab that sent before may have been offline.
      await this.update((cache) => cache.isOnline !== seemsOnline() && cache.setOnline(seemsOnline()));
      await send(this, call, { ...options, signal });
    };
    await this.lead("send", work, options);
  }

  /** Waits for what was begun, and ends this tab's part. The other tabs go on. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.#end();
    this.#replica.close();
  }

  #heard(data: unknown): void {
    const told = (data as { revision?: unknown } | undefined)?.revision;
    if (typeof told === "number" && told <= this.#revision) return;
    if (this.#failure === undefined) this.sync().catch(() => {}); // It was told.
  }

  /** One transaction after the other. */
  #run(): void {
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
      if (this.#jobs.length + this.#readers.length > 0) this.#run();
    });
  }

  async #runAll(): Promise<void> {
    // Not within the call that asks for it, so that those beside it come along.
    await Promise.resolve();
    while (this.#jobs.length > 0 || this.#readers.length > 0) {
      if (this.#jobs.length > 0) await this.#commit();
      else await this.#read();
    }
  }

  /** Takes what was committed, for all who have asked so far. */
  async #read(): Promise<void> {
    const readers = this.#readers.splice(0);
    try {
      await this.#ledger.transact("readonly", async (stores) => {
        this.#catchUp(await this.#ledger.missed(stores, this.#revision));
      });
      for (const { resolve } of readers) resolve(undefined);
    } catch (problem) {
      this.#failed(problem, readers);
    }
  }

  /** Makes all changes that wait, in one transaction. */
  async #commit(): Promise<void> {
    let jobs: Job<T>[] = [];
    const answers: (() => void)[] = [];
    try {
      const revision = await this.#ledger.transact("readwrite", async (stores) => {
        const missed = await this.#ledger.missed(stores, this.#revision);
        this.#catchUp(missed);
        jobs = this.#jobs.splice(0);
        for (const job of jobs) answers.push(this.#do(job));
        const lines = this.#replica.taken();
        if (lines === "") return missed.head.revision;
        // Until it is committed, the replica is at nothing that was.
        this.#revision = -1;
        const whole = this.#isTimeForWhole(missed) ? this.#whole() : undefined;
        return this.#ledger.commit(stores, missed.head, lines + (whole?.line ?? ""), whole);
      });
      const isNew = this.#revision === -1;
      this.#revision = revision;
      if (isNew) this.#channel?.postMessage({ revision });
    } catch (problem) {
      this.#failed(problem, jobs.length > 0 ? jobs : this.#jobs.splice(0));
      // What was shown and could not be kept is taken back.
      if (this.#revision === -1 && this.#failure === undefined) await this.#read();
      return;
    }
    for (const answer of answers) answer();
  }

  /** Does one job; what is answered when it is committed. */
  #do({ act, resolve, reject }: Job<T>): () => void {
    try {
      const result = this.#replica.write(act);
      return () => resolve(result);
    } catch (problem) {
      return () => reject(problem);
    }
  }

  #catchUp({ head, saved, entries }: Missed): void {
    if (saved !== undefined) {
      this.#stateLength = saved.state.length;
      this.#replica.replace(saved.state, saved.at);
      this.#revision = saved.revision;
    }
    for (const { lines, revision } of entries) {
      this.#revision = -1;
      const refused = this.#replica.follow(lines);
      if (refused.length > 0) {
        const text = `what another tab has done is refused here, and passed over: ${refused.join("; ")}`;
        this.#tell(new StoreError("damaged", this.#ledger.name, text));
      }
      this.#revision = revision;
    }
    this.#revision = head.revision;
  }

  #isTimeForWhole({ head }: Missed): boolean {
    const commits = head.revision + 1 - head.saved;
    const most = Math.max(LEAST_LENGTH, 2 * this.#stateLength);
    return commits >= (this.#options.wholeEvery ?? 100) || head.length > most;
  }

  /** The whole state, and the event by which those who go on by events come to what it is when it is restored. */
  #whole(): Whole & { readonly line: string } {
    const state = this.#replica.save();
    this.#replica.write((cache) => cache.handleTimeout());
    const line = this.#replica.taken();
    this.#stateLength = state.length;
    return { state, at: lastTimeOf(line) ?? this.#replica.clock.now(), line };
  }

  #failed(problem: unknown, waiting: readonly Pick<Job<T>, "reject">[]): void {
    const failure = storeError(this.#ledger.name, problem);
    for (const { reject } of waiting) reject(failure);
    if (FINAL.has(failure.problem)) {
      this.#failure ??= failure;
      // What it leads is for another tab.
      this.#over.abort(failure);
    }
    if (failure.problem !== "closed") this.#tell(failure);
  }

  #tell(problem: StoreError): void {
    const { onError = (told: StoreError) => console.error(told) } = this.#options;
    onError(problem);
  }

  /** Every tab does what is due; the first one does it, and the others find it done. */
  #wakeLater(again?: number): void {
    const replica = this.#replica;
    if (this.#ended || this.#options.timers === false) return;
    const at = again ?? replica.nextTimeout;
    if (at === this.#wakeAt) return;
    this.#forget?.();
    this.#wakeAt = at;
    this.#forget = at === undefined ? undefined : replica.clock.wake(at, () => this.#wake());
  }

  #wake(): void {
    this.#wakeAt = undefined;
    this.#forget = undefined;
    if (this.#failure !== undefined) return;
    const { clock } = this.#replica;
    const isDue = () => (this.#replica.nextTimeout ?? Infinity) <= clock.now();
    this.update((cache) => isDue() && cache.handleTimeout()).then(
      () => this.#wakeLater(isDue() ? clock.now() + AGAIN : undefined),
      () => this.#failure ?? this.#wakeLater(clock.now() + AGAIN),
    );
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure ??= new StoreError("closed", this.#ledger.name, "it was closed");
    this.#over.abort(new DOMException("the shared cache was closed", "AbortError"));
    for (const { reject } of [...this.#jobs.splice(0), ...this.#readers.splice(0)]) reject(this.#failure);
    this.#forget?.();
    for (const leave of this.#leave.splice(0)) leave();
    this.#channel?.close();
    this.#ledger.close();
  }
}

/// <reference lib="esnext.disposable" preserve="true" />

/** What every part of a cache stands on: the WebAssembly object, the clock, and who is told. */

import { systemClock, type Clock, type Forget } from "./clock.js";
import { ClosedError } from "./errors.js";
import { bytesAt, guarded, loaded, type RawCache } from "./load.js";
import { coreJson, configJson, LABELS, type Options } from "./options.js";
import { changesOf, isNothing, RowList } from "./rows.js";
import type { Changes, Row } from "./types.js";

const encoder = new TextEncoder();

/** The part of a cache that reads and changes share. */
export class Base<T extends object> {
  /** The clock that it keeps time by. */
  readonly clock: Clock;
  /** @internal */
  protected readonly list = new RowList<T>();
  #raw: RawCache | undefined;
  readonly #timers: boolean;
  #wakeAt: number | undefined;
  #forget: Forget | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #followers = new Set<(changes: Changes<T>) => void>();
  readonly #closers = new Set<() => void>();
  readonly #afterwards = new Set<() => void>();
  /** What was not told yet. Listeners may call verbs, which are told when their turn comes. */
  #untold: { changes: Changes<T>; visible: boolean }[] = [];
  #telling = false;

  constructor(options: Options = {}, saved?: string) {
    const { Cache } = loaded();
    this.clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? true;
    const [config, schema, labels] = settingsOf(options);
    this.#raw = guarded(() =>
      saved === undefined
        ? new Cache(config, schema, labels)
        : Cache.restore(saved, config, schema, labels, this.clock.now()),
    );
    if (saved !== undefined) this.takeAll();
    this.#setTimer();
  }

  /**
   * Calls back after each call that changed a visible row, when it is done: listeners may call verbs. What they throw
   * is reported and stops nothing.
   */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };

  /** Calls back with what each call changed. */
  onChanges(listener: (changes: Changes<T>) => void): () => void {
    const own = (changes: Changes<T>) => listener(changes);
    this.#followers.add(own);
    return () => void this.#followers.delete(own);
  }

  /** The visible rows in list order: the same array until one changes, and unchanged rows are the same objects. */
  readonly getSnapshot = (): readonly Row<T>[] => this.list.rows;

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#raw === undefined;
  }

  /** Frees its memory; later calls throw. Closing twice is closing. */
  close(): void {
    this.#forget?.();
    this.#forget = undefined;
    const raw = this.#raw;
    this.#raw = undefined;
    for (const close of this.#closers) close();
    this.#listeners.clear();
    this.#followers.clear();
    this.#closers.clear();
    this.#afterwards.clear();
    if (raw !== undefined) guarded(() => raw.free());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Has something done when it is closed. @internal */
  onClose(listener: () => void): () => void {
    this.#closers.add(listener);
    return () => void this.#closers.delete(listener);
  }

  /** Has something done after each call that may have changed something, also what nobody sees. @internal */
  afterCalls(listener: () => void): () => void {
    const own = () => listener();
    this.#afterwards.add(own);
    return () => void this.#afterwards.delete(own);
  }

  /** Asks something. @internal */
  ask<R>(question: (raw: RawCache) => R): R {
    const raw = this.#raw;
    if (raw === undefined) throw new ClosedError();
    return guarded(() => question(raw));
  }

  /** Asks for something that is written as JSON. @internal */
  read<R>(question: (raw: RawCache) => string): R {
    return JSON.parse(this.ask(question)) as R;
  }

  /** Throws where changes are not to be made now. @internal */
  protected mayChange(): void {}

  /** Changes something, and tells what. @internal */
  protected change(act: (raw: RawCache, now: number) => string): Changes<T> {
    this.mayChange();
    const now = this.clock.now();
    return this.told(JSON.parse(this.ask((raw) => act(raw, now))) as Changes<T>);
  }

  /** Puts bytes or a text into the cache's buffer, and answers how many bytes they are. @internal */
  put(raw: RawCache, answer: Uint8Array | string): number {
    if (typeof answer !== "string") {
      bytesAt(raw.room(answer.length), answer.length).set(answer);
      return answer.length;
    }
    // Most are ASCII, one byte a character; three is what a UTF-16 unit takes at most.
    const most = answer.length;
    const first = encoder.encodeInto(answer, bytesAt(raw.room(most), most));
    if (first.read === answer.length) return first.written;
    const all = most * 3;
    return encoder.encodeInto(answer, bytesAt(raw.room(all), all)).written;
  }

  /** Takes what a call changed, and tells those who want to know. @internal */
  told(applied: Changes<T>): Changes<T> {
    const changes = changesOf(applied);
    const visible = this.list.apply(changes);
    this.#setTimer();
    if (visible || !isNothing(changes)) this.#tell(changes, visible);
    for (const listener of this.#afterwards) reported(listener);
    return changes;
  }

  /** Takes another state instead of its own, as `save` wrote it. Nobody is told: see `takeAll`. @internal */
  protected become(saved: string, options: Options, now: number): void {
    const { Cache } = loaded();
    const [config, schema, labels] = settingsOf(options);
    const raw = guarded(() => Cache.restore(saved, config, schema, labels, now));
    const before = this.#raw;
    this.#raw = raw;
    if (before !== undefined) guarded(() => before.free());
  }

  /** Takes the whole visible list. @internal */
  protected takeAll(): void {
    this.list.replace(this.read<Row<T>[]>((raw) => raw.visible()));
  }

  #tell(changes: Changes<T>, visible: boolean): void {
    this.#untold.push({ changes, visible });
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
      const { changes, visible } = next;
      for (const follower of this.#followers) reported(() => follower(changes));
      if (visible) for (const listener of this.#listeners) reported(listener);
    }
    this.#telling = false;
  }

  #setTimer(): void {
    const raw = this.#raw;
    if (!this.#timers || raw === undefined) return;
    const at = guarded(() => raw.poll_timeout());
    if (at === this.#wakeAt) return;
    this.#forget?.();
    this.#wakeAt = at;
    this.#forget = at === undefined ? undefined : this.clock.wake(at, () => this.#wake());
  }

  #wake(): void {
    this.#wakeAt = undefined;
    this.#forget = undefined;
    if (this.#raw !== undefined) this.change((raw, now) => raw.handle_timeout(now));
  }
}

/** The settings as the WebAssembly reads them. */
function settingsOf(options: Options): [config: string, schema: string, labels: string] {
  const labels = JSON.stringify({ ...LABELS, ...options.labels });
  return [configJson(options.config ?? {}), coreJson(options.schema ?? {}), labels];
}

/** Runs a listener; what it throws is thrown by itself, as by a listener of the platform's. */
function reported(listener: () => void): void {
  try {
    listener();
  } catch (problem) {
    setTimeout(() => {
      throw problem;
    });
  }
}

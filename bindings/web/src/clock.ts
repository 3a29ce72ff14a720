/** Time: what it is, and being woken. */

/** Takes a wake-up back. */
export type Forget = () => void;

/** A clock that a cache keeps time by. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Calls back once, at that time or later; never within this call. */
  wake(at: number, callback: () => void): Forget;
}

/** What `setTimeout` can wait at most. */
const LONGEST = 2 ** 31 - 1;

/** The system's. A timer of it keeps no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wake(at, callback) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      const left = Math.max(0, Math.ceil(at - Date.now()));
      timer = setTimeout(() => (left > LONGEST ? wait() : callback()), Math.min(left, LONGEST));
      if (typeof timer === "object" && "unref" in timer) timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};

interface Sleeper {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands until it is moved: for tests. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  wake(at: number, callback: () => void): Forget {
    const sleeper = { at, callback };
    this.#sleepers.add(sleeper);
    return () => this.#sleepers.delete(sleeper);
  }

  /** Moves on by so many milliseconds, and wakes those whose time has come, each at its own. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }

  /** Sets the time, also back, and wakes nobody. */
  set(now: number): void {
    this.#now = now;
  }

  #next(end: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at <= end && (first === undefined || sleeper.at < first.at)) first = sleeper;
    }
    return first;
  }
}

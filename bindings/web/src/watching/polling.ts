/** When to list because something is pending that the stream does not decide. Nothing here has a clock. */

/** The pace of such lists. */
export class Polling {
  /** How often at most, in milliseconds; null never. */
  readonly #every: number | null;
  /**
   * When to look whether a list is of use. To look goes through all that is pending, so that it is done when a deadline
   * has passed, and not at each event.
   */
  #look: number | undefined = -Infinity; // What a saved collection waits for may be of use by now.
  #last: number | undefined;

  constructor(every: number | null) {
    this.#every = every === null ? null : Math.max(1, every);
  }

  /** When to look again at the latest. */
  get at(): number | undefined {
    return this.#every === null ? undefined : this.#look;
  }

  /** Looks at this time at the latest. */
  lookAt(at: number): void {
    this.#look = Math.min(this.#look ?? at, at);
  }

  /** Whether to look now; otherwise when the collection's next deadline has passed, at the latest. */
  isDue(deadline: number | undefined, now: number): boolean {
    if (this.#every === null) return false;
    const due = this.#look !== undefined && this.#look <= now;
    if (!due && deadline !== undefined) this.lookAt(deadline);
    return due;
  }

  /** Whether to list now, where that has been of use `since` then, or will be. */
  decide(since: number | undefined, waitsFirst: boolean, now: number): boolean {
    this.#look = undefined;
    const every = this.#every;
    if (every === null || since === undefined) return false;
    const first = since + (waitsFirst ? every : 0);
    const at = this.#last === undefined ? first : Math.max(this.#last + every, first);
    const lists = at <= now;
    if (lists) this.#last = now;
    this.#look = lists ? now + every : at;
    return lists;
  }
}

/**
 * The document has a finished operation's mark taken away by a timer: `setTimeout(() => cache.revert(id), 2000)` after a
 * completion, 5000 after an error. What has begun on the resource meanwhile is not meant. Version 1.0 took its mark.
 */

/** How many milliseconds after a completion, and after an error, the document reverts. */
export const AFTER_COMPLETION = 2_000;
export const AFTER_ERROR = 5_000;
/** How far off a timer may be. */
const OFF = 500;

interface Ending {
  /** The operation that ended, and all that began before it. */
  readonly operation: number;
  /** When its mark is to be taken away. */
  readonly at: number;
}

/** The operations of one instance that were told to be done, and not reverted yet. */
export class Endings {
  readonly #endings = new Map<string, Ending>();

  /** An operation is done, and reverted at that time. */
  add(id: string, operation: number, at: number): void {
    this.#endings.set(id, { operation, at });
  }

  /** The newest operation that a revert at this time means; undefined for all. */
  take(id: string, now: number): number | undefined {
    const ending = this.#endings.get(id);
    this.#endings.delete(id);
    return ending !== undefined && Math.abs(now - ending.at) <= OFF ? ending.operation : undefined;
  }
}

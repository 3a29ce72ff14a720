/** What a watch is about, and those who follow it. */

import type { Position } from "./settings.js";

/** Why a watch last failed. */
export interface WatchFailure {
  /** The HTTP status, where there was an answer. */
  readonly status: number | null;
  /** The server's word for it, such as Kubernetes' `Expired`. */
  readonly reason: string | null;
  readonly problem: string;
  /** How many milliseconds the server asked to wait. */
  readonly retryAfter: number | null;
}

/** What a watch is about. */
export interface WatchState {
  readonly state: "listing" | "watching" | "backing_off" | "offline";
  /** Whether all that the server has told so far is in the cache, and nothing was missed. */
  readonly synced: boolean;
  /** Why it last failed, until something goes well. */
  readonly failure: WatchFailure | undefined;
  /** From where another watch could go on. */
  readonly position: Position | undefined;
}

/** The present state, and iterators over it: one that is slow finds the newest, not all that were between. */
export class States {
  current: WatchState;
  #text: string;
  #ended = false;
  #problem: unknown;
  readonly #waiting = new Set<() => void>();

  constructor(first: WatchState) {
    this.current = first;
    this.#text = textOf(first);
  }

  set(state: WatchState): void {
    this.current = state;
    // A position that moves is no other state: it moves with each message.
    const text = textOf(state);
    if (text === this.#text) return;
    this.#text = text;
    this.#rouse();
  }

  end(problem: unknown): void {
    this.#ended = true;
    this.#problem = problem;
    this.#rouse();
  }

  iterate(): AsyncIterator<WatchState, undefined> {
    let seen = "";
    let over = false;
    let leave: (() => void) | undefined;
    return {
      next: async () => {
        while (seen === this.#text && !this.#ended && !over) {
          await new Promise<void>((resolve) => {
            leave = resolve;
            this.#waiting.add(resolve);
          });
        }
        if (over || this.#ended) {
          if (this.#problem !== undefined) throw this.#problem;
          return { done: true, value: undefined };
        }
        seen = this.#text;
        return { done: false, value: this.current };
      },
      return: () => {
        over = true;
        leave?.();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #rouse(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function textOf({ state, synced, failure }: WatchState): string {
  return JSON.stringify([state, synced, failure]);
}

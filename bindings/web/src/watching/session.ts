/** What a watch session asks for and tells, as its WebAssembly writes it. */

import { guarded, type RawCache, type RawSession } from "../load.js";
import { isResponse } from "../responses.js";
import type { Changes } from "../types.js";
import type { Position } from "./settings.js";
import type { WatchFailure, WatchState } from "./states.js";
import type { ListAnswer, ListCall, StreamCall } from "./transport.js";

/** What the session asks for. */
export type Action<T> =
  | { readonly list: Omit<ListCall, "query" | "signal"> & Asked }
  | { readonly watch: Omit<StreamCall, "query" | "signal"> & Asked }
  | { readonly close: number }
  | { readonly applied: Changes<T> }
  | { readonly refused: string };

export interface Asked {
  readonly call: number;
  readonly query: [string, string][];
}

/** Something for the session to take. */
export type Step = (session: RawSession, raw: RawCache, now: number) => string | undefined | void;

/** What a session is about. */
export function stateOf(session: RawSession): WatchState {
  return guarded(() => {
    const [failure, position] = [session.failure(), session.position()];
    return {
      state: session.state() as WatchState["state"],
      synced: session.is_synced(),
      failure: failure === undefined ? undefined : failureOf(JSON.parse(failure) as WatchFailure),
      position: position === undefined ? undefined : positionOf(JSON.parse(position) as Told),
    };
  });
}

interface Told {
  readonly version: string | null;
  readonly sequence: number | null;
}

/** No status was answered where the server only said when to come back. */
function failureOf(told: WatchFailure): WatchFailure {
  return told.status === 0 ? { ...told, status: null } : told;
}

function positionOf({ version, sequence }: Told): Position | undefined {
  if (version === null && sequence === null) return undefined;
  return { ...(version === null ? {} : { version }), ...(sequence === null ? {} : { sequence }) };
}

/** What a list call has answered, to be put into the cache's buffer. */
export async function bytesOf(answer: ListAnswer): Promise<Uint8Array | string> {
  if (typeof answer === "string" || answer instanceof Uint8Array) return answer;
  return new Uint8Array(isResponse(answer) ? await answer.arrayBuffer() : answer);
}

/**
 * What the cache takes and answers, as types. Nothing here runs.
 *
 * Times are milliseconds since 1970-01-01T00:00:00Z, as `Date.now()` has them; durations are milliseconds;
 * progress is 0 to 100.
 */

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What an operation does. */
export type Kind = "create" | "update" | "process" | "delete";

/** What the document calls an operation. */
export type Operation = "creating" | "updating" | "processing" | "deleting";

/** What a user reads of a resource on which something goes on. */
export type Status = "deleting" | "creating" | "updating" | "processing" | "retrying";

/** Where a resource is in the lifecycle. */
export type State =
  | "idle"
  | "creating"
  | "created"
  | "updating"
  | "updated"
  | "processing"
  | "processed"
  | "deleting"
  | "deleted"
  | "retrying"
  | "failed"
  | "gone"
  | "forgotten";

/** What a user is told about a resource's operation: the document's `CacheMetadata`. */
export interface CacheMetadata {
  readonly status?: Status;
  readonly startedAt?: string;
  readonly completedAt?: string;
  readonly deletedAt?: string;
  readonly createdAt?: string;
  readonly updatedAt?: string;
  /** How far it is, 0 to 100. */
  readonly progress?: number;
  readonly stage?: string;
  readonly stageProgress?: number;
  /** When it will be done, if its stages take as long as they are said to. */
  readonly expectedAt?: string;
  /** Nothing was heard of it for as long as its plan says. */
  readonly stalled?: boolean;
  readonly error?: string;
  readonly retryCount?: number;
  readonly maxRetries?: number;
  readonly message?: string;
  readonly nextAttemptAt?: string;
  /** After how many milliseconds unheard of it is given up. */
  readonly ttl?: number;
  /** How many milliseconds it guards at least. */
  readonly minTtl?: number;
  /** Fields of the user's own. */
  readonly [name: string]: unknown;
}

/** What a row's status badge shows. */
export interface Badge {
  readonly label: string;
  readonly variant: "default" | "secondary" | "destructive";
  readonly icon: "spinner" | "check" | "cross";
  /** Whether the icon spins. */
  readonly animate: boolean;
  /** 0 to 100; 0 is shown. */
  readonly progress: number | null;
  /** How many attempts failed, of how many. */
  readonly retry: readonly [failed: number, limit: number] | null;
}

/** What a row's progress bar shows. */
export interface Progress {
  /** The message, or else the status. */
  readonly label: string;
  /** 0 to 100. */
  readonly percent: number;
  /** When it will be done; null when nobody knows. */
  readonly expectedAt: number | null;
  /** Whether nothing was heard of it for as long as its plan says. */
  readonly stalled: boolean;
}

/** One row as the user sees it. It never changes: a row that is other than before is another object. */
export interface Row<T> {
  /** Never changes, also when a temporary id becomes a real one: React's `key`. */
  readonly key: number;
  /** The resource's id now, as text. */
  readonly id: string;
  /** The resource as it is to be shown. */
  readonly value: T;
  readonly state: State;
  /** Whether it is in the visible list. */
  readonly visible: boolean;
  readonly meta?: CacheMetadata;
  readonly badge?: Badge;
  readonly progress?: Progress;
}

/** How an operation ended. */
export type Settlement = "confirmed" | "not_confirmed" | "superseded" | "failed" | "cancelled" | "stale";

/** The record of how an operation ended. */
export interface Outcome {
  readonly operation: number;
  readonly id: string;
  readonly kind: Kind;
  readonly settlement: Settlement;
  readonly error: string | null;
  readonly at: number;
}

/** Something odd in the input that was taken nevertheless. */
export type Warning =
  | { readonly duplicate_id: { readonly id: string; readonly position: number } }
  | { readonly skipped_item: { readonly position: number; readonly problem: string } }
  | { readonly unknown_bound: { readonly id: string } };

/** What an undo or a redo left alone, and why, in words for the user. */
export interface Conflict {
  readonly id: string;
  readonly reason: Json;
  readonly text: string;
}

/** A row that is new, other than before, or elsewhere. */
export interface Upsert<T> {
  readonly row: Row<T>;
  /** The key of the visible row before it; null at the head of the list. */
  readonly after: number | null;
}

/** What a call changed in the visible list, and what there is to tell. */
export interface Changes<T> {
  readonly revision: number;
  /** The operations that the call began or went on with: one per part of a batch that has one. */
  readonly operations: readonly number[];
  readonly upserted: readonly Upsert<T>[];
  readonly removed: readonly { readonly key: number; readonly id: string }[];
  readonly outcomes: readonly Outcome[];
  readonly warnings: readonly Warning[];
  readonly conflicts: readonly Conflict[];
}

/** One unsettled operation. */
export interface OperationInfo {
  readonly operation: number;
  readonly kind: Kind;
  readonly state: State;
}

/** Something that will be due. */
export interface Deadline {
  readonly at: number;
  readonly id: string;
  readonly operation: number;
  readonly reason: string;
}

/** Why a row is hidden, shown, or not what the server says. */
export interface Explanation {
  readonly id: string;
  readonly state: State | null;
  readonly visible: boolean;
  readonly operation: number | null;
  /** The rule of the model that decides. */
  readonly rule: string;
  readonly why: string;
  /** What would change it. */
  readonly next: readonly Json[];
  /** All of it as sentences. */
  readonly text: string;
}

/** What an operation asks of the server. */
export interface Request<T> {
  readonly operation: number;
  readonly kind: Kind;
  /** The resource, by the id that it has by now. */
  readonly id: string;
  /** The resource as it is to be; as it was, for a deletion. */
  readonly resource?: T;
  /** What an update sets, as a JSON merge patch (RFC 7396). None for no update, or one that none can say: send the resource. */
  readonly patch?: Json;
}

/** One attempt to be sent: answer it with `acknowledge` or `fail`, or not at all: then it counts as lost after a while. */
export interface Attempt<T> extends Request<T> {
  /** How many attempts this makes, from 1. */
  readonly number: number;
  /** The same for every attempt of this operation, also after a restart, and for no other (`Idempotency-Key`). */
  readonly key: string;
}

/** Some fields of a resource, at any depth; null takes one away. A JSON merge patch (RFC 7396). */
export type Patch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Name in keyof T]?: Patch<T[Name]> | null }
    : T;

/** Metadata fields to change; null takes one away. */
export type MetadataPatch = { readonly [Name in keyof CacheMetadata]?: CacheMetadata[Name] | null };

/** The answer of a list call. Bytes are best: what is as it was is passed over by comparing them. */
export type Answer<T> = ArrayBuffer | Uint8Array | string | readonly T[];

/** What part of the collection a list is; absences count only inside it. */
export type Coverage =
  | "complete"
  /** These ids. */
  | { readonly ids: readonly string[] }
  /** One page in list order, between two resources that are not in it; null at an end of the list. */
  | { readonly after: string | null; readonly before: string | null };

/** Taken before a list call starts and handed in with its answer. */
export interface FetchToken {
  readonly token: Json;
}

/**
 * Whether another attempt follows a failed one: after the config's backoff, after so many milliseconds, or as the
 * config's retry policy says of an HTTP status.
 */
export type Retry =
  boolean | { readonly after: number } | { readonly status: number; readonly retryAfter?: number };

/** An operation to begin, and how. */
export type Step<T> = {
  /** How many milliseconds it guards at least; the config's otherwise. */
  readonly minTtl?: number;
  /** Leaves its sending to the outbox, this many milliseconds later at the earliest. */
  readonly sendAfter?: number;
} & (
  | { readonly create: T }
  | { readonly update: string; readonly patch: Patch<T> }
  | { readonly delete: string }
  | { readonly process: string; readonly operation: Operation }
);

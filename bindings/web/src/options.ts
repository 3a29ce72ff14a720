/** The settings of a cache. What is left out is the core's default, so that no default stands here a second time. */

import type { Clock } from "./clock.js";
import type { Kind } from "./types.js";

/** How long to wait before the next attempt, in milliseconds. */
export type Backoff =
  /** The step times the number of failed attempts. */
  | { readonly linear: { readonly step: number } }
  /** Any time up to a limit that doubles with each failed attempt. */
  | { readonly exponential: { readonly base: number; readonly cap: number } };

/** What the outbox does about attempts that fail. */
export interface RetryPolicy {
  /** Default: 1,000 ms times the number of failed attempts. */
  readonly backoff?: Backoff;
  /** After so many attempts it gives up; 0 for never. Default 3. */
  readonly maxAttempts?: number;
  /** When the next attempt would start later than this after the first one, it gives up. Default never. */
  readonly maxAge?: number;
  /** After how long an attempt that was not answered counts as lost. Default 30,000. */
  readonly attemptTimeout?: number;
  /** The HTTP statuses after which another attempt is of use. */
  readonly retryable?: readonly number[];
}

/** How an operation of one kind goes on, from stage to stage, and when it is done. */
export interface ProgressPlan {
  readonly stages: readonly Stage[];
  /** What the server's copies say: a JSON pointer, and the stage by the value that stands there. */
  readonly rules?: readonly { readonly at: string; readonly stages: Readonly<Record<string, string>> }[];
  /** After how long without news it is marked as stalled; never by default. */
  readonly stalledAfter?: number;
}

/** One stage of an operation. */
export interface Stage {
  readonly name: string;
  /** Its share of the whole beside those of the other stages; 0 for one that ends. Default 1. */
  readonly weight?: number;
  /** How long it takes, in milliseconds. */
  readonly expected?: number;
  /** What to tell the user when it begins. */
  readonly message?: string;
  /** What it ends; `errorAt` is where the server's copy has the error's text: a JSON pointer. */
  readonly end?: "complete" | { readonly fail: { readonly errorAt?: string } };
}

/** The settings of one collection. Durations are in milliseconds. */
export interface Config {
  /** How long an operation guards what the user asked for, at least. Default 60,000. */
  readonly ttl?: number;
  /** After how long an operation that is not heard of is given up. Default 300,000. */
  readonly staleAfter?: number;
  /** How long a completion lingers before it makes way. Default 2,000. */
  readonly completedShown?: number;
  /** How long an error is shown. Default 5,000. */
  readonly errorShown?: number;
  /** The wait before the next attempt, times the number of failed ones. Default 1,000. */
  readonly retryBackoff?: number;
  readonly retry?: RetryPolicy;
  /** How many attempts the outbox has under way at most. Default 6. */
  readonly maxUnderWay?: number;
  /** How operations of each kind go on, from stage to stage. */
  readonly progress?: Readonly<Partial<Record<Kind, ProgressPlan>>>;
  /** How much of what the user did is kept, to be undone: steps, and bytes of bodies. */
  readonly history?: { readonly steps?: number; readonly bytes?: number };
  /** How versions compare. Default opaque. */
  readonly versionOrder?: "opaque" | "integer" | "timestamp";
  /** Where resources stand that the server does not list yet. Default at the end. */
  readonly newItems?: "start" | "end";
  /** What a final failure leaves on screen: the server's values (the default), or the user's, marked failed. */
  readonly onFailure?: "revert" | "keep";
  /** What items without id lead to. Default a refusal. */
  readonly badItems?: "reject" | "skip";
  /** How many changes of rows `changesSince` remembers at most. Default 100,000. */
  readonly changeLog?: number;
  /** How many outcomes are remembered. Default 1,000. */
  readonly outcomeLog?: number;
  /** Keys the hashing of ids, the outbox's waits and its idempotency keys. Default a random one. */
  readonly seed?: number;
}

/** Where a server's answers keep their list, and its resources their id and the rest: JSON pointers (RFC 6901). */
export interface Schema {
  /** A resource's id: a string, or an integer. Default `/id`. */
  readonly id?: string;
  /** An identity that is never given out twice. */
  readonly uid?: string;
  readonly version?: string;
  /** A token that the client chose and the server echoes. */
  readonly token?: string;
  /** The list within a list call's answer; the whole answer by default. */
  readonly items?: string;
  /** The list's own version within the answer. */
  readonly listVersion?: string;
  /** Where the next chunk begins, within the answer of a list call that may come in chunks. */
  readonly continueToken?: string;
}

/** Where Kubernetes keeps things. Its versions are integers: set `versionOrder` so. */
export const kubernetesSchema: Schema = {
  id: "/metadata/name",
  uid: "/metadata/uid",
  version: "/metadata/resourceVersion",
  items: "/items",
  listVersion: "/metadata/resourceVersion",
  continueToken: "/metadata/continue",
};

/** The words of badges, in the user's language. */
export interface Labels {
  readonly deleting: string;
  readonly creating: string;
  readonly updating: string;
  readonly processing: string;
  readonly retrying: string;
  /** Completed, without a message. */
  readonly processed: string;
  /** Failed, without an error's text. */
  readonly failed: string;
}

/** The document's. @internal */
export const LABELS: Labels = {
  deleting: "Deleting...",
  creating: "Creating...",
  updating: "Saving...",
  processing: "Processing...",
  retrying: "Retrying...",
  processed: "Done",
  failed: "Failed",
};

/** What a cache is made with. */
export interface Options {
  readonly config?: Config;
  readonly schema?: Schema;
  /** Default the system's. */
  readonly clock?: Clock;
  readonly labels?: Partial<Labels>;
  /** Whether what is due is done by a timer of the cache's own. Default true. */
  readonly timers?: boolean;
}

/** The core's names of fields that have another ending here: durations say their unit there. */
const NAMES: Readonly<Record<string, string>> = {
  ttl: "ttl_ms",
  staleAfter: "stale_after_ms",
  completedShown: "completed_shown_ms",
  errorShown: "error_shown_ms",
  retryBackoff: "retry_backoff_ms",
  maxAge: "max_age_ms",
  attemptTimeout: "attempt_timeout_ms",
  stalledAfter: "stalled_after_ms",
  step: "step_ms",
  base: "base_ms",
  cap: "cap_ms",
  expected: "expected_ms",
  healthyAfter: "healthy_after_ms",
  idleAfter: "idle_after_ms",
  listTimeout: "list_timeout_ms",
  listInterval: "list_interval_ms",
};

/** By these names users choose their own keys. */
const OWN_KEYS = new Set(["stages"]);

/** Settings by the core's names, as JSON. */
export function coreJson(settings: object): string {
  return JSON.stringify(renamed(settings));
}

function renamed(value: unknown, keep = false): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      const own = OWN_KEYS.has(name) && !Array.isArray(field);
      return [keep ? name : coreName(name), renamed(field, own)];
    }),
  );
}

function coreName(name: string): string {
  return NAMES[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A cache's settings as the core reads them; without a seed, with a random one. */
export function configJson(config: Config): string {
  const { retry, seed, ...rest } = config;
  const attempts = retry?.maxAttempts === 0 ? { maxAttempts: null } : {};
  return coreJson({
    ...rest,
    ...(retry === undefined ? {} : { retry: { ...retry, ...attempts } }),
    seed: seed ?? randomSeed(),
  });
}

/** A random whole number that JavaScript can say. */
export function randomSeed(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}

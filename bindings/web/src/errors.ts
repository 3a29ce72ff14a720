/** Why a call was refused. Nothing has changed then, but see `BrokenError`. */

/** What all errors of this package are. */
export class ResourceCacheError extends Error {
  /** A word to branch on. */
  readonly kind: string;
  /** The resource that it is about, where there is one. */
  readonly resource: string | undefined;

  constructor(kind: string, message: string, resource?: string) {
    super(message);
    this.name = new.target.name;
    this.kind = kind;
    this.resource = resource;
  }
}

/** The lifecycle has no such pair of state and trigger. */
export class TransitionError extends ResourceCacheError {
  readonly state: string;
  readonly trigger: string;

  constructor(message: string, resource: string, state: string, trigger: string) {
    super("transition", message, resource);
    this.state = state;
    this.trigger = trigger;
  }
}

/** No such resource, or no such operation. */
export class NotFoundError extends ResourceCacheError {
  readonly operation: number | undefined;

  constructor(message: string, resource?: string, operation?: number) {
    super("not_found", message, resource);
    this.operation = operation;
  }
}

/** A resource with this id is already visible: update it, or take another id. */
export class AlreadyExistsError extends ResourceCacheError {
  constructor(message: string, resource?: string) {
    super("already_exists", message, resource);
  }
}

/** A value out of range, an empty id, a patch that would change an id, and the like. */
export class BadInputError extends ResourceCacheError {
  /** What it was about: an id, a field, a setting. */
  readonly subject: string;

  constructor(message: string, subject: string) {
    super("bad_input", message);
    this.subject = subject;
  }
}

/** A list that cannot be taken. */
export class BadSnapshotError extends ResourceCacheError {
  /** The item's place in the list, from 0; undefined when it is the list itself. */
  readonly position: number | undefined;

  constructor(message: string, position?: number) {
    super("bad_snapshot", message);
    this.position = position;
  }
}

/** One part of a batch that was refused. */
export interface Refusal {
  /** Its place in the batch, from 0. */
  readonly position: number;
  readonly id: string;
  readonly kind: string;
  readonly problem: string;
}

/** A batch is refused whole when one of its parts is. Its kind is that of the first. */
export class BatchError extends ResourceCacheError {
  readonly refusals: readonly Refusal[];

  constructor(kind: string, message: string, refusals: readonly Refusal[]) {
    super(kind, message, refusals[0]?.id);
    this.refusals = refusals;
  }
}

/** The WebAssembly is not loaded yet: await `init()` first. */
export class NotReadyError extends ResourceCacheError {
  constructor() {
    super(
      "not_ready",
      "the WebAssembly is not loaded yet; await init() first, or use ResourceCache.create()",
    );
  }
}

/** The cache was closed. */
export class ClosedError extends ResourceCacheError {
  constructor() {
    super("closed", "the cache is closed; make another");
  }
}

/**
 * A fault of the library itself: nobody knows what was changed, and nothing of it can be used any more. Load the page
 * anew, or start another worker or process. A report is welcome.
 */
export class BrokenError extends ResourceCacheError {
  constructor(fault: string) {
    super("broken", `a fault of the cache itself, please report it: ${fault}`);
  }
}

/** A list call was answered with an HTTP status that is none of success. */
export class ResponseError extends ResourceCacheError {
  readonly status: number;
  /** How many milliseconds the server asks to wait, where it does. */
  readonly retryAfter: number | undefined;

  constructor(status: number, url: string, retryAfter?: number) {
    super("response", `${url}: HTTP status ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

interface Told {
  readonly kind: string;
  readonly problem: string;
  readonly id?: string;
  readonly operation?: number;
  readonly state?: string;
  readonly trigger?: string;
  readonly subject?: string;
  readonly position?: number | null;
  readonly refusals?: readonly Refusal[];
}

/** The error of a refusal as the WebAssembly writes it. */
export function refusalOf(text: string): ResourceCacheError {
  const told = JSON.parse(text) as Told;
  if (told.refusals !== undefined) return new BatchError(told.kind, told.problem, told.refusals);
  switch (told.kind) {
    case "transition":
      return new TransitionError(told.problem, told.id ?? "", told.state ?? "", told.trigger ?? "");
    case "not_found":
      return new NotFoundError(told.problem, told.id, told.operation);
    case "already_exists":
      return new AlreadyExistsError(told.problem, told.id);
    case "bad_snapshot":
      return new BadSnapshotError(told.problem, told.position ?? undefined);
    default:
      return new BadInputError(told.problem, told.subject ?? "");
  }
}

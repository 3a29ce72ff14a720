/**
 * The verbs, by the document's names. Each answers what changed; one that is refused throws, and has changed nothing.
 */

import type {
  Answer,
  Attempt,
  CacheMetadata,
  Changes,
  Coverage,
  FetchToken,
  Kind,
  MetadataPatch,
  Operation,
  Patch,
  Retry,
  Step,
} from "./types.js";
import { View } from "./view.js";

/** The core's kinds, by the document's words. */
const KINDS: Readonly<Record<Operation, Kind>> = {
  creating: "create",
  updating: "update",
  processing: "process",
  deleting: "delete",
};

/** What of a list call's answer is to be known. */
export interface MergeOptions {
  /** Of `beginFetch`; without it the answer counts as taken when it arrives. */
  readonly token?: FetchToken;
  /** What part of the collection it is. Default all of it. */
  readonly coverage?: Coverage;
}

/** A cache, to be read and changed. */
export class Verbs<T extends object> extends View<T> {
  /** A list call is about to start: hand the token in with its answer, so that answers out of order do no harm. */
  beginFetch(): FetchToken {
    this.mayChange();
    const now = this.clock.now();
    const { token, applied } = this.read<{ token: FetchToken["token"]; applied: Changes<T> }>((raw) =>
      raw.begin_fetch(now),
    );
    this.told(applied);
    return { token };
  }

  /** Takes the answer of a list call. */
  merge(answer: Answer<T>, options: MergeOptions = {}): Changes<T> {
    const given = bytesOrText(answer);
    const token = options.token === undefined ? undefined : JSON.stringify(options.token.token);
    const coverage = coverageJson(options.coverage);
    return this.change((raw, now) => raw.merge(this.put(raw, given), token, coverage, now));
  }

  /** Takes a watch event as Kubernetes writes it: an object of `type` and `object`, or its text. */
  observe(event: string | { readonly type: string; readonly object?: unknown }): Changes<T> {
    const text = typeof event === "string" ? event : JSON.stringify(event);
    return this.change((raw, now) => raw.observe(text, now));
  }

  /** A stream told that a resource is gone, and not what it was; the version at which it went, if it told that. */
  observeDeleted(id: string, version?: string): Changes<T> {
    return this.change((raw, now) => raw.observe_deleted(id, version, now));
  }

  /**
   * A stream told that the server gave up work that it had accepted: the operation fails, without another attempt.
   * It is named by its resource, or by the key that was sent with it.
   */
  observeFailed(named: { readonly id: string } | { readonly key: string }, error: string): Changes<T> {
    return this.change((raw, now) => raw.observe_failed(JSON.stringify(named), error, now));
  }

  /** Takes a list that version 1.0 saved, with its marks; only into an empty collection. */
  importV1(list: string | readonly (T & { readonly _meta?: CacheMetadata })[]): Changes<T> {
    const text = typeof list === "string" ? list : JSON.stringify(list);
    return this.change((raw, now) => raw.import_v1(text, now));
  }

  /** Hides a resource that is about to be deleted, for at least so many milliseconds. Default the config's `ttl`. */
  markAsDeleting(id: string, minTtl?: number): Changes<T> {
    return this.change((raw, now) => raw.mark_as_deleting(id, minTtl, now));
  }

  /** Marks a resource as undergoing an operation. */
  markAsProcessing(id: string, operation: Operation): Changes<T> {
    return this.change((raw, now) => raw.mark_as_processing(id, kindOf(operation), now));
  }

  /** Shows a resource with a JSON merge patch (RFC 7396) laid over it until the server has it. */
  markAsUpdating(id: string, patch: Patch<T>, minTtl?: number): Changes<T> {
    return this.change((raw, now) => raw.mark_as_updating(id, JSON.stringify(patch), minTtl, now));
  }

  /** Shows a new resource before the server has it, under a temporary or its final id. */
  addAsCreating(resource: T, minTtl?: number): Changes<T> {
    return this.change((raw, now) => raw.add_as_creating(JSON.stringify(resource), minTtl, now));
  }

  /** The server answered the creation of `tempId` with this resource. */
  replaceCreated(tempId: string, resource: T): Changes<T> {
    return this.change((raw, now) => raw.replace_created(tempId, JSON.stringify(resource), now));
  }

  /** The server answered with some fields of a resource; each replaces the whole's. */
  updateInPlace(id: string, fields: Partial<T>): Changes<T> {
    return this.change((raw, now) => raw.update_in_place(id, JSON.stringify(fields), now));
  }

  /** Changes the metadata fields that are named; null takes one away. */
  updateMetadata(id: string, fields: MetadataPatch): Changes<T> {
    return this.change((raw, now) => raw.update_metadata(id, JSON.stringify(fields), now));
  }

  /** The server accepted an operation, and answered with the resource as it now is, or with nothing. */
  acknowledge(operation: number, answer?: T): Changes<T> {
    const text = answer === undefined ? undefined : JSON.stringify(answer);
    return this.change((raw, now) => raw.acknowledge(operation, text, now));
  }

  /** An attempt failed. Without another one to come, the operation has failed. */
  fail(operation: number, error: string, retry: Retry = false): Changes<T> {
    return this.change((raw, now) => raw.fail(operation, error, retryJson(retry), now));
  }

  /** The next attempt starts. */
  attempt(operation: number): Changes<T> {
    return this.change((raw, now) => raw.attempt(operation, now));
  }

  /** Takes one operation back. */
  cancel(operation: number): Changes<T> {
    return this.change((raw, now) => raw.cancel(operation, now));
  }

  /** The newest operation of a resource is done. */
  complete(id: string): Changes<T> {
    return this.change((raw, now) => raw.complete(id, now));
  }

  /** Ends every unsettled operation of a resource; what the server has answered stays. */
  revert(id: string): Changes<T> {
    return this.change((raw, now) => raw.revert(id, now));
  }

  /** The same as `revert`. */
  cancelOperation(id: string): Changes<T> {
    return this.revert(id);
  }

  /** Drops a resource; a deletion of it counts as confirmed. */
  remove(id: string): Changes<T> {
    return this.change((raw, now) => raw.remove(id, now));
  }

  /** Gives up every operation older than so many milliseconds that no live guard protects. */
  cleanupStaleOperations(olderThan = 300_000): Changes<T> {
    return this.change((raw, now) => raw.cleanup_stale_operations(olderThan, now));
  }

  /** Marks several resources, all or none. */
  batchMarkAsProcessing(ids: readonly string[], operation: Operation, minTtl?: number): Changes<T> {
    const kind = kindOf(operation);
    return this.change((raw, now) => raw.batch_mark_as_processing([...ids], kind, minTtl, now));
  }

  /** Removes several resources, all or none. */
  batchRemove(ids: readonly string[]): Changes<T> {
    return this.change((raw, now) => raw.batch_remove([...ids], now));
  }

  /** Does all that is due. A cache with timers does it by itself. */
  handleTimeout(): Changes<T> {
    return this.change((raw, now) => raw.handle_timeout(now));
  }

  /** Whether the outbox may send. Offline it holds what is queued, for as long as it takes. */
  setOnline(online: boolean): Changes<T> {
    return this.change((raw, now) => raw.set_online(online, now));
  }

  /** Begins one operation, and leaves its sending to the outbox, so many milliseconds later at the earliest. */
  queue(step: Step<T>, sendAfter = 0): Changes<T> {
    const text = JSON.stringify(stepOf({ sendAfter, ...step }));
    return this.change((raw, now) => raw.begin(text, now));
  }

  /**
   * Does what the user did, one thing or several, whole or not at all, and keeps it as a step that `undo` undoes. The
   * label names it, such as `Delete 5 zones`.
   */
  perform(label: string, steps: readonly Step<T>[]): Changes<T> {
    const text = JSON.stringify(steps.map(stepOf));
    return this.change((raw, now) => raw.perform(label, text, now));
  }

  /**
   * Undoes the last step: what was not sent is taken back; what was sent gets its inverse, queued if the step was, else
   * among the answer's operations for the caller to send (`requestOf`). Without a step it does nothing.
   */
  undo(): Changes<T> {
    return this.change((raw, now) => raw.undo(now));
  }

  /** Redoes the step that was undone last, in the same way. */
  redo(): Changes<T> {
    return this.change((raw, now) => raw.redo(now));
  }

  /** Forgets all steps. */
  clearHistory(): Changes<T> {
    return this.change((raw, now) => raw.clear_history(now));
  }

  /**
   * The next attempt that may be sent by now. Call it until it answers none, whenever something was queued, answered or
   * failed, and at each `nextTimeout`.
   */
  pollAttempt(): Attempt<T> | undefined {
    this.mayChange();
    const now = this.clock.now();
    const { attempt, applied } = this.read<{ attempt: Attempt<T> | null; applied: Changes<T> }>((raw) =>
      raw.poll_attempt(now),
    );
    this.told(applied);
    return attempt ?? undefined;
  }
}

function bytesOrText<T>(answer: Answer<T>): Uint8Array | string {
  if (typeof answer === "string" || answer instanceof Uint8Array) return answer;
  if (answer instanceof ArrayBuffer) return new Uint8Array(answer);
  return JSON.stringify(answer);
}

function coverageJson(coverage: Coverage | undefined): string | undefined {
  if (coverage === undefined || coverage === "complete") return undefined;
  return JSON.stringify("ids" in coverage ? { ids: coverage.ids } : { page: coverage });
}

function retryJson(retry: Retry): string {
  if (typeof retry === "boolean") return JSON.stringify(retry ? "backoff" : "no");
  if ("after" in retry) return JSON.stringify({ after: Math.round(retry.after) });
  const after_ms = retry.retryAfter === undefined ? null : Math.round(retry.retryAfter);
  return JSON.stringify({ by_status: { status: retry.status, after_ms } });
}

function kindOf(operation: Operation): string {
  return KINDS[operation] ?? operation;
}

function stepOf<T>(step: Step<T>): object {
  const how = { min_ttl_ms: step.minTtl, send_after_ms: step.sendAfter };
  if ("create" in step) return { kind: "create", resource: step.create, ...how };
  if ("update" in step) return { kind: "update", id: step.update, patch: step.patch, ...how };
  if ("delete" in step) return { kind: "delete", id: step.delete, ...how };
  return { kind: kindOf(step.operation), id: step.process, ...how };
}

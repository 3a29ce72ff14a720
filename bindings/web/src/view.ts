/** Reading: rows, and questions about one resource. Nothing here changes anything. */

import { Base } from "./base.js";
import { changesOf } from "./rows.js";
import type {
  Attempt,
  Changes,
  Deadline,
  Explanation,
  OperationInfo,
  Outcome,
  Request,
  Row,
  State,
  Status,
} from "./types.js";

/** A cache, to be read. */
export class View<T extends object> extends Base<T> {
  /** Rows that are not visible, each with its text, so that an unchanged one stays the same object. */
  readonly #hidden = new Map<number, { readonly text: string; readonly row: Row<T> }>();

  /** The row of an id, hidden or not; also of an id that it had. */
  getOne(id: string): Row<T> | undefined {
    const key = this.ask((raw) => raw.key_of(id));
    return key === undefined ? undefined : this.row(key);
  }

  /** The row of a key, hidden or not. */
  row(key: number): Row<T> | undefined {
    const visible = this.list.get(key);
    if (visible !== undefined) return visible;
    const text = this.ask((raw) => raw.row(key));
    if (text === undefined) {
      this.#hidden.delete(key);
      return undefined;
    }
    const known = this.#hidden.get(key);
    if (known?.text === text) return known.row;
    const row = JSON.parse(text) as Row<T>;
    this.#hidden.set(key, { text, row });
    return row;
  }

  /** Every row, hidden ones included; those without a place in the list come last. */
  all(): Row<T>[] {
    return this.#own(this.read((raw) => raw.all()));
  }

  /** The rows with this status, hidden ones included. */
  getByStatus(status: Status): Row<T>[] {
    return this.#own(this.read((raw) => raw.get_by_status(status)));
  }

  /** Whether an operation on this resource is unsettled. */
  isProcessing(id: string): boolean {
    return this.ask((raw) => raw.is_processing(id));
  }

  /** Where a resource is in the lifecycle; undefined when nothing is known of it. */
  state(id: string): State | undefined {
    return this.ask((raw) => raw.state(id)) as State | undefined;
  }

  /** The unsettled operations on a resource, oldest first. */
  operations(id: string): OperationInfo[] {
    return this.read((raw) => raw.operations(id));
  }

  /** Why a row is hidden, shown, or not what the server says, and what would change that. */
  explain(id: string): Explanation {
    return this.read((raw) => raw.explain(id));
  }

  /** How operations settled, the oldest first. */
  outcomes(): Outcome[] {
    return this.read((raw) => raw.outcomes());
  }

  /** Every deadline that is ahead, the earliest first. */
  deadlines(): Deadline[] {
    return this.read((raw) => raw.deadlines());
  }

  /** The change counter; it only grows. */
  get revision(): number {
    return this.ask((raw) => raw.revision());
  }

  /** What has changed since a revision; undefined when that far back is no longer known: take the snapshot then. */
  changesSince(revision: number): Changes<T> | undefined {
    const text = this.ask((raw) => raw.changes_since(revision));
    return text === undefined ? undefined : changesOf(JSON.parse(text) as Changes<T>);
  }

  /** Whether asking the server again is of use: an operation is unsettled, or a watch has expired. */
  get shouldPoll(): boolean {
    return this.ask((raw) => raw.should_poll());
  }

  /** The soonest time at which asking the server can decide something. */
  get nextPoll(): number | undefined {
    const now = this.clock.now();
    return this.ask((raw) => raw.next_poll(now));
  }

  /** When something is due next. */
  get nextTimeout(): number | undefined {
    return this.ask((raw) => raw.poll_timeout());
  }

  /** How many operations wait to be sent or are under way. */
  get queued(): number {
    return this.ask((raw) => raw.queued());
  }

  /** Whether the outbox may send. */
  get isOnline(): boolean {
    return this.ask((raw) => raw.is_online());
  }

  /** The attempt of this operation that is under way: so a caller finds after a restart what it had sent. */
  attemptOf(operation: number): Attempt<T> | undefined {
    const text = this.ask((raw) => raw.attempt_of(operation));
    return text === undefined ? undefined : (JSON.parse(text) as Attempt<T>);
  }

  /** What an unsettled operation asks of the server, for a caller that sends it by itself. */
  requestOf(operation: number): Request<T> | undefined {
    const text = this.ask((raw) => raw.request_of(operation));
    return text === undefined ? undefined : (JSON.parse(text) as Request<T>);
  }

  /** The label of the step that `undo` would undo. */
  get undoLabel(): string | undefined {
    return this.ask((raw) => raw.undo_label());
  }

  /** The label of the step that `redo` would redo. */
  get redoLabel(): string | undefined {
    return this.ask((raw) => raw.redo_label());
  }

  /** The labels of the steps that can be undone, the next first. */
  undoLabels(): string[] {
    return this.ask((raw) => raw.undo_labels());
  }

  /** The labels of the steps that can be redone, the next first. */
  redoLabels(): string[] {
    return this.ask((raw) => raw.redo_labels());
  }

  /** The whole state but the settings, as JSON; `ResourceCache.restore` takes it. */
  save(): string {
    return this.ask((raw) => raw.save());
  }

  /** The whole collection, hidden resources included, as a JSON list that version 1.0 reads. */
  listV1(): string {
    return this.ask((raw) => raw.list_v1());
  }

  /** Those rows, each as the object that is held already where there is one. */
  #own(rows: readonly Row<T>[]): Row<T>[] {
    return rows.map((row) => this.row(row.key) ?? row);
  }
}

/** How a watch behaves, and how it reads what a stream tells. What is left out is the core's default. */

import type { Backoff } from "../options.js";

/** How a watch behaves. Durations are in milliseconds. */
export interface WatchSettings {
  /**
   * From where a stream that broke goes on. Default the last version; for a feed nowhere, so that each new stream needs
   * another list.
   */
  readonly resume?: "version" | "sequence" | "nowhere";
  /** How it learns of all that is there. Default by a list. */
  readonly initial?: "list" | "stream";
  /** How many items one list call asks for; null all. Default 500; for a feed all. */
  readonly limit?: number | null;
  /** Whether the first list may be an old one, for which Kubernetes asks no quorum. */
  readonly firstListMayBeOld?: boolean;
  /** Whether bookmarks are asked for. Default true; for a feed false. */
  readonly bookmarks?: boolean;
  /** Whether a stream counts as open only when it says that it is ready. */
  readonly awaitsReady?: boolean;
  /** What a message that cannot be read leads to. Default a list. */
  readonly badMessages?: "relist" | "skip";
  /** How long to wait after failures. Default exponential, from 1,000 to 30,000. */
  readonly backoff?: Backoff;
  /** After how long without a failure the next one counts as the first again. Default 10,000. */
  readonly healthyAfter?: number;
  /** A stream of which nothing was heard for so long counts as broken. Default never. */
  readonly idleAfter?: number;
  /** A list call that was not answered for so long counts as failed. Default 60,000. */
  readonly listTimeout?: number;
  /** How long after the beginning of a list the next one begins at the earliest. Default 1,000. */
  readonly listInterval?: number;
  /** How many events may wait to be applied; a list comes instead of more. Default 10,000. */
  readonly maxWaiting?: number;
}

/** Where a feed's messages keep what they tell: JSON pointers (RFC 6901); and which words they use. */
export interface Feed {
  /**
   * The array of events within a message that may have several. The pointers down to `error` lead on from each of
   * them; without it, from the message.
   */
  readonly events?: string;
  /**
   * The word that says what an event tells. Without it, server-sent events say it by their name, and every other event
   * tells a resource as it is now.
   */
  readonly word?: string;
  /** The resource; an array of them in a snapshot. The whole event by default. */
  readonly resource?: string;
  /** The id of the resource, for events that do not tell its body. */
  readonly id?: string;
  /** The version at which it went, for deletions that do not tell the body. */
  readonly deletedVersion?: string;
  /** The idempotency key, or the client's token, of an operation that has failed. */
  readonly key?: string;
  /** Why it has failed. */
  readonly error?: string;
  /** The version from which the stream goes on behind the message. */
  readonly version?: string;
  /** The message's number, one more than that of the message before. */
  readonly sequence?: string;
  readonly words?: FeedWords;
}

/** What the words of a feed mean. A word that stands nowhere is an error, unless `ignored` has `*`. */
export interface FeedWords {
  /** A resource came into being. Default `added`, `created`. */
  readonly added?: readonly string[];
  /** A resource changed, or is as told. Default `modified`, `updated`. */
  readonly modified?: readonly string[];
  /** A resource is gone. Default `deleted`, `removed`. */
  readonly deleted?: readonly string[];
  /** Everything else is as it was. Default `bookmark`. */
  readonly bookmark?: readonly string[];
  /** The stream cannot go on: list again. Default `expired`. */
  readonly expired?: readonly string[];
  /** All there is. Default `snapshot`. */
  readonly snapshot?: readonly string[];
  /** All there is was told. Default none. */
  readonly initialEnd?: readonly string[];
  /** Something changed, and the message does not tell what. Default none. */
  readonly touched?: readonly string[];
  /** The subscription holds. Default none. */
  readonly ready?: readonly string[];
  /** An operation has failed. Default `failed`. */
  readonly failed?: readonly string[];
  /** Passed over. Default `heartbeat`, `ping`. */
  readonly ignored?: readonly string[];
}

/** Every word that a feed may use. */
export function wordsOf(feed: Feed | undefined): string[] {
  const words: Required<FeedWords> = {
    added: ["added", "created"],
    modified: ["modified", "updated"],
    deleted: ["deleted", "removed"],
    bookmark: ["bookmark"],
    expired: ["expired"],
    snapshot: ["snapshot"],
    initialEnd: [],
    touched: [],
    ready: [],
    failed: ["failed"],
    ignored: ["heartbeat", "ping"],
    ...feed?.words,
  };
  return [...new Set(Object.values(words).flat())];
}

/** Where a watch stands: saved beside the cache's state, it lets the next one go on without a list. */
export interface Position {
  /** The last version of which all is in the cache. */
  readonly version?: string;
  /** The same by the server's count of messages. */
  readonly sequence?: number;
}

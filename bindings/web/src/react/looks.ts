/** What badge and progress bar show, of a row of a cache or of a resource with `_meta`. */

import { LABELS, type Labels } from "../options.js";
import type { Badge, CacheMetadata, Progress, Row, Status } from "../types.js";

/** What of a resource's metadata is shown. */
type Meta = {
  readonly [
    Name in
      | "status"
      | "completedAt"
      | "error"
      | "message"
      | "progress"
      | "retryCount"
      | "maxRetries"
      | "expectedAt"
      | "stalled"
  ]?: CacheMetadata[Name] | undefined;
};

/** A resource as version 1.0 has it. */
export interface Marked {
  readonly _meta?: Meta | undefined;
}

/** What to show: a row of a cache, or a resource with `_meta`. */
export interface Shown {
  readonly row?: Row<object> | undefined;
  readonly resource?: Marked | undefined;
  /** Words for a resource's badge; a row's has those of its cache's `labels`. */
  readonly labels?: Partial<Labels> | undefined;
}

/** The words that badges and progress bars add: give your own for other languages. */
export interface Words {
  /** A percentage, from 0 to 100. */
  readonly percent: (percent: number) => string;
  /** For screen readers: how many attempts failed, of how many. */
  readonly failedAttempts: (failed: number, limit: number) => string;
  /** Nothing was heard of an operation for too long. */
  readonly stalled: string;
}

export const WORDS: Words = {
  percent: (percent) => `${Math.round(percent)}%`,
  failedAttempts: (failed, limit) => `${failed} of ${limit} attempts failed`,
  stalled: "stalled",
};

export function statusOf({ row, resource }: Shown): Status | undefined {
  return row === undefined ? resource?._meta?.status : row.meta?.status;
}

export function badgeOf({ row, resource, labels }: Shown): Badge | undefined {
  if (row !== undefined) return row.badge;
  const meta = resource?._meta;
  if (meta?.status === undefined) return undefined;
  const { progress, retryCount, maxRetries } = meta;
  const look = lookOf(meta, meta.status, { ...LABELS, ...labels });
  return {
    ...look,
    animate: look.icon === "spinner",
    progress: progress ?? null,
    retry:
      retryCount !== undefined && retryCount > 0 && maxRetries !== undefined
        ? [retryCount, maxRetries]
        : null,
  };
}

/** As the core has it for rows. */
function lookOf(
  { error, completedAt, message }: Meta,
  status: Status,
  labels: Labels,
): Pick<Badge, "label" | "variant" | "icon"> {
  if (error !== undefined && status !== "retrying") {
    return { label: error === "" ? labels.failed : error, variant: "destructive", icon: "cross" };
  }
  switch (status) {
    case "deleting":
      return { label: labels.deleting, variant: "destructive", icon: "spinner" };
    case "creating":
      return { label: labels.creating, variant: "default", icon: "spinner" };
    case "updating":
      return { label: labels.updating, variant: "secondary", icon: "spinner" };
    case "retrying":
      return { label: message ?? labels.retrying, variant: "secondary", icon: "spinner" };
    case "processing":
      return completedAt === undefined
        ? { label: message ?? labels.processing, variant: "default", icon: "spinner" }
        : { label: message ?? labels.processed, variant: "default", icon: "check" };
  }
}

export function progressOf({ row, resource }: Shown): Progress | undefined {
  if (row !== undefined) return row.progress;
  const meta = resource?._meta;
  if (meta?.progress === undefined) return undefined;
  const expectedAt = meta.expectedAt === undefined ? NaN : Date.parse(meta.expectedAt);
  return {
    label: meta.message ?? meta.status ?? "",
    percent: Math.min(Math.max(meta.progress, 0), 100),
    expectedAt: Number.isNaN(expectedAt) ? null : expectedAt,
    stalled: meta.stalled === true,
  };
}

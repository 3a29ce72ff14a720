export { rowsOf, useResource, useResourceCache, useResources, useStatus, type MaybeCache } from "./hooks.js";
export type { Marked, Shown, Words } from "./looks.js";
export { ResourceProgress, type ResourceProgressProps } from "./progress.js";
export { ResourceStatusBadge, type ResourceStatusBadgeProps } from "./status-badge.js";

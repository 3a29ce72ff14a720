/** The document's component of scenario 1, letter by letter. */

import type { HTMLAttributes } from "react";
import type { CachedResource } from "resourcecache/v1";
import type { Domain } from "./examples.js";

const Badge = (props: HTMLAttributes<HTMLSpanElement>) => <span {...props} />;
const Loader2Icon = (props: HTMLAttributes<HTMLElement>) => <i {...props} />;

export function DomainStatusBadge({ domain }: { domain: CachedResource<Domain> }) {
  const meta = domain._meta;
  if (!meta) return null;

  return (
    <Badge>
      <Loader2Icon className="mr-1 h-3 w-3 animate-spin" />
      {meta.message}
      {meta.progress && <span className="ml-2 text-xs">({meta.progress}%)</span>}
    </Badge>
  );
}

/** What the React tests share: zones, and a list of them that counts what it renders. */

import { memo, type ReactElement } from "react";
import { ManualClock, ResourceCache, type Options, type Row } from "resourcecache";
import { ResourceProgress, ResourceStatusBadge, useResources, type MaybeCache } from "resourcecache/react";

export interface Zone {
  readonly id: string;
  readonly name?: string;
}

export const ZONES: readonly Zone[] = [
  { id: "a", name: "a.example" },
  { id: "b", name: "b.example" },
  { id: "c", name: "c.example" },
];

export function zones(options: Options = {}) {
  const clock = new ManualClock(1_000_000_000_000);
  const cache = new ResourceCache<Zone>({ clock, ...options });
  cache.merge(ZONES);
  return { cache, clock };
}

/** How often the row of each id was rendered. */
export type Counts = Map<string, number>;

const ZoneRow = memo(function ZoneRow({ row, counts }: { row: Row<Zone>; counts: Counts }) {
  counts.set(row.id, (counts.get(row.id) ?? 0) + 1);
  return (
    <li>
      {row.value.name} <ResourceStatusBadge row={row} />
      <ResourceProgress row={row} />
    </li>
  );
});

export function ZoneList(props: {
  cache: MaybeCache<Zone>;
  counts?: Counts;
  initial?: readonly Row<Zone>[];
}): ReactElement {
  const { cache, counts = NOBODY, initial } = props;
  const rows = useResources(cache, initial);
  if (cache === undefined && initial === undefined) return <p>Loading</p>;
  return (
    <ul>
      {rows.map((row) => (
        <ZoneRow key={row.id} row={row} counts={counts} />
      ))}
    </ul>
  );
}

const NOBODY: Counts = new Map();

import { ResourceCache } from "resourcecache";
import { ResourceProgress, ResourceStatusBadge, useResourceCache, useResources } from "resourcecache/react";

interface Zone {
  id: string;
  name: string;
}

const ZONES: Zone[] = [
  { id: "a", name: "a.example" },
  { id: "b", name: "b.example" },
  { id: "c", name: "c.example" },
];

export function App() {
  const cache = useResourceCache(() => {
    const zones = new ResourceCache<Zone>();
    zones.merge(ZONES);
    zones.markAsDeleting("b");
    zones.merge(ZONES); // the server lags
    zones.markAsProcessing("c", "processing");
    zones.updateMetadata("c", { progress: 0, message: "Verifying..." });
    return zones;
  });
  const rows = useResources(cache);
  if (cache === undefined) return <p>Loading</p>;
  return (
    <>
      <h1>Zones</h1>
      <ul>
        {rows.map((row) => (
          <li key={row.key}>
            {row.value.name} <ResourceStatusBadge row={row} />
            <ResourceProgress row={row} />
            <button onClick={() => cache.markAsDeleting(row.id)}>Delete {row.value.name}</button>
          </li>
        ))}
      </ul>
    </>
  );
}

// Imports each part of the package where pages are rendered on a server, and renders one: nothing is loaded.
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { isReady } from "resourcecache";
import { ResourceStatusBadge, rowsOf, useResourceCache, useResources } from "resourcecache/react";
import { resourceQuery } from "resourcecache/tanstack";
import { RESOURCE_CACHE_CONFIG, ResourceCache } from "resourcecache/v1";

const zones = [{ id: "a", name: "a.example", _meta: { status: "deleting" } }];

function Page() {
  const rows = useResources(
    useResourceCache(() => {
      throw new Error("no cache is made on a server");
    }),
    rowsOf(zones),
  );
  return rows.map((row) =>
    createElement(
      "p",
      { key: row.id },
      row.value.name,
      createElement(ResourceStatusBadge, { resource: row.value }),
    ),
  );
}

const html = renderToString(createElement(Page));
if (!html.includes("a.example") || !html.includes("Deleting...")) throw new Error(html);
new ResourceCache(
  { getItem: async () => null, setItem: async () => {} },
  RESOURCE_CACHE_CONFIG.domains,
  "domains:p",
);
if (typeof resourceQuery !== "function") throw new Error("no resourceQuery");
if (isReady()) throw new Error("importing and rendering have loaded the WebAssembly");

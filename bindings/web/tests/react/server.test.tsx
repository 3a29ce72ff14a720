// @vitest-environment happy-dom
import { act, cleanup, configure, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, expect, it, vi } from "vitest";
import { init, isReady, ManualClock, ResourceCache, type Row } from "resourcecache";
import { ResourceStatusBadge, rowsOf, useResource, useResourceCache, useStatus } from "resourcecache/react";
import { ZoneList, ZONES, type Zone } from "./zones.js";

configure({ asyncUtilTimeout: 20_000 });

const NONE: readonly Row<Zone>[] = [];

afterEach(() => {
  cleanup();
  document.body.innerHTML = "";
});

function Page({ initial }: { initial?: readonly Zone[] }) {
  const cache = useResourceCache(() => {
    const own = new ResourceCache<Zone>({ clock: new ManualClock() });
    own.merge(ZONES);
    own.markAsDeleting("b");
    own.markAsProcessing("a", "updating");
    return own;
  });
  const one = useResource(cache, "a");
  const status = useStatus(cache, "a");
  return (
    <StrictMode>
      <ZoneList cache={cache} {...(initial === undefined ? {} : { initial: rowsOf(initial) })} />
      <output>
        {one?.id ?? "none"} {status ?? "idle"}
      </output>
    </StrictMode>
  );
}

it.each([undefined, ZONES])("is rendered on a server, and hydrates without a mismatch", async (initial) => {
  const loaded = isReady();
  const html = renderToString(<Page {...(initial === undefined ? {} : { initial })} />);
  // Rendering on a server loads nothing.
  expect(isReady()).toBe(loaded);
  expect(html).toContain(initial === undefined ? "Loading" : "b.example");
  const root = document.createElement("div");
  document.body.append(root);
  root.innerHTML = html;
  const problems = vi.spyOn(console, "error").mockImplementation(() => {});
  const recovered: unknown[] = [];
  const page = await act(async () =>
    hydrateRoot(root, <Page {...(initial === undefined ? {} : { initial })} />, {
      onRecoverableError: (problem) => recovered.push(problem),
    }),
  );
  await screen.findByText("Saving...");
  expect(screen.getAllByRole("listitem")).toHaveLength(2);
  expect(root.querySelector("output")?.textContent).toBe("a updating");
  expect(problems.mock.calls).toEqual([]);
  expect(recovered).toEqual([]);
  problems.mockRestore();
  await act(async () => page.unmount());
});

it("renders badges of what version 1.0 has on a server", () => {
  const html = renderToString(<ResourceStatusBadge resource={{ _meta: { status: "deleting" } }} />);
  expect(html).toContain("Deleting...");
});

it("hydrates what the server showed where there is a cache already", async () => {
  await init();
  const cache = new ResourceCache<Zone>({ clock: new ManualClock() });
  cache.merge(ZONES);
  const root = document.createElement("div");
  document.body.append(root);
  root.innerHTML = renderToString(<ZoneList cache={undefined} initial={NONE} />);
  const recovered: unknown[] = [];
  const onRecoverableError = (problem: unknown) => recovered.push(problem);
  const page = await act(async () =>
    hydrateRoot(root, <ZoneList cache={cache} initial={NONE} />, { onRecoverableError }),
  );
  expect(screen.getAllByRole("listitem")).toHaveLength(3);
  expect(recovered).toEqual([]);
  await act(async () => page.unmount());
});

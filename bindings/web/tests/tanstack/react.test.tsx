// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider, useMutation, useQuery } from "@tanstack/react-query";
import { act, cleanup, configure, fireEvent, render, screen } from "@testing-library/react";
import { memo, StrictMode } from "react";
import { afterEach, beforeAll, expect, it } from "vitest";
import { init, ManualClock, ResourceCache, type Row } from "resourcecache";
import { ResourceStatusBadge } from "resourcecache/react";
import { resourceQuery } from "resourcecache/tanstack";

configure({ asyncUtilTimeout: 20_000 });

interface Zone {
  readonly id: string;
}

beforeAll(() => init());
afterEach(cleanup);

it("shows what the cache shows, through refetches and failures, and renders only what changed", async () => {
  const client = new QueryClient();
  const cache = new ResourceCache<Zone>({ clock: new ManualClock(1_000_000_000_000) });
  const counts = new Map<string, number>();
  let refuse: (reason: Error) => void = () => {};
  const ZoneRow = memo(function ZoneRow({ row }: { row: Row<Zone> }) {
    counts.set(row.id, (counts.get(row.id) ?? 0) + 1);
    return (
      <li>
        {row.id} <ResourceStatusBadge row={row} />
      </li>
    );
  });
  function Page() {
    const { data: rows = [] } = useQuery(
      resourceQuery({ client, queryKey: ["zones"], cache, list: async () => [{ id: "a" }, { id: "b" }] }),
    );
    const remove = useMutation({
      mutationFn: (id: string) => cache.deleting(id, () => new Promise((_, no) => (refuse = no))),
    });
    return (
      <>
        <button onClick={() => remove.mutate("b")}>Delete b</button>
        <ul>
          {rows.map((row) => (
            <ZoneRow key={row.key} row={row} />
          ))}
        </ul>
      </>
    );
  }
  render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <Page />
      </QueryClientProvider>
    </StrictMode>,
  );
  const shown = () => screen.queryAllByRole("listitem").map((item) => item.textContent.trim());
  await screen.findByText("a");
  expect(shown()).toEqual(["a", "b"]);
  counts.clear();
  await act(async () => void fireEvent.click(screen.getByText("Delete b")));
  expect(shown()).toEqual(["a"]);
  await act(() => client.refetchQueries({ queryKey: ["zones"] }));
  expect(shown()).toEqual(["a"]);
  await act(async () => refuse(new Error("in use")));
  expect((await screen.findByText("in use")).closest("li")?.textContent).toBe("b in use");
  expect([...counts.keys()]).toEqual(["b"]);
  client.clear();
});

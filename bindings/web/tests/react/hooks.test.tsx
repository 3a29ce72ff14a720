// @vitest-environment happy-dom
import { act, cleanup, configure, render, screen } from "@testing-library/react";
import { Component, StrictMode, type ReactNode } from "react";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { init, ResourceCache } from "resourcecache";
import { useResource, useResourceCache, useStatus } from "resourcecache/react";
import { ZoneList, ZONES, zones, type Counts, type Zone } from "./zones.js";

configure({ asyncUtilTimeout: 20_000 });

beforeAll(() => init());
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const texts = () => screen.queryAllByRole("listitem").map((item) => item.textContent.trim());

describe.each([true, false])("a list (StrictMode: %s)", (strict) => {
  const shown = (node: ReactNode) => render(strict ? <StrictMode>{node}</StrictMode> : node);
  /** React renders each component twice in StrictMode. */
  const once = strict ? 2 : 1;

  it("renders only the rows that changed", () => {
    const { cache } = zones();
    const counts: Counts = new Map();
    shown(<ZoneList cache={cache} counts={counts} />);
    expect(texts()).toEqual(["a.example", "b.example", "c.example"]);
    expect(Object.fromEntries(counts)).toEqual({ a: once, b: once, c: once });

    counts.clear();
    act(() => void cache.markAsUpdating("b", { name: "renamed" }));
    expect(texts()).toEqual(["a.example", "renamed Saving...", "c.example"]);
    expect(Object.fromEntries(counts)).toEqual({ b: once });

    counts.clear();
    act(() => void cache.markAsDeleting("c"));
    act(() => void cache.merge(ZONES));
    expect(texts()).toEqual(["a.example", "renamed Saving..."]);
    expect(Object.fromEntries(counts)).toEqual({});

    act(() => void cache.addAsCreating({ id: "d", name: "d.example" }));
    expect(Object.fromEntries(counts)).toEqual({ d: once });
    expect(texts()).toEqual(["a.example", "renamed Saving...", "d.example Creating..."]);
  });

  it("stops listening when it goes", () => {
    const { cache } = zones();
    const counts: Counts = new Map();
    const { unmount } = shown(<ZoneList cache={cache} counts={counts} />);
    unmount();
    counts.clear();
    cache.markAsDeleting("a");
    expect(counts.size).toBe(0);
  });

  it("shows what is due when its time comes", () => {
    const { cache, clock } = zones();
    shown(<ZoneList cache={cache} />);
    const [operation = 0] = cache.markAsDeleting("a").operations;
    act(() => void cache.fail(operation, "in use"));
    expect(texts()[0]).toBe("a.example in use");
    act(() => clock.advance(5_000));
    expect(texts()[0]).toBe("a.example");
  });

  it("has a cache of its own, made once and closed with it", async () => {
    const made: ResourceCache<Zone>[] = [];
    function Page({ project }: { project: string }) {
      const cache = useResourceCache(() => {
        const own = new ResourceCache<Zone>();
        own.merge([{ id: "a", name: project }]);
        made.push(own);
        return own;
      }, [project]);
      return <ZoneList cache={cache} />;
    }
    const page = (project: string) =>
      strict ? <StrictMode>{<Page project={project} />}</StrictMode> : <Page project={project} />;
    const { rerender, unmount } = render(page("one"));
    expect(screen.getByText("Loading")).toBeDefined();
    await screen.findByText("one");
    expect(made).toHaveLength(1);

    rerender(page("two"));
    await screen.findByText("two");
    expect(made.map((cache) => cache.isClosed)).toEqual([true, false]);
    unmount();
    expect(made.map((cache) => cache.isClosed)).toEqual([true, true]);
  });
});

it("a cache that cannot be made is told to the error boundary", async () => {
  class Boundary extends Component<{ children: ReactNode }, { text?: string }> {
    override state: { text?: string } = {};
    static getDerivedStateFromError = (problem: unknown) => ({ text: String(problem) });
    override render() {
      return this.state.text ?? this.props.children;
    }
  }
  function Page() {
    return <ZoneList cache={useResourceCache<Zone>(() => Promise.reject(new Error("no storage")))} />;
  }
  vi.spyOn(console, "error").mockImplementation(() => {});
  render(
    <Boundary>
      <Page />
    </Boundary>,
  );
  await screen.findByText("Error: no storage");
});

describe("one resource", () => {
  it("is followed while it is hidden, and under the id that it gets", () => {
    const { cache } = zones();
    function One({ id }: { id: string }) {
      const row = useResource(cache, id);
      return <p>{row === undefined ? "none" : `${row.id} ${row.state} ${row.meta?.message ?? "-"}`}</p>;
    }
    const { container, rerender } = render(<One id="a" />);
    const text = () => container.textContent;
    expect(text()).toBe("a idle -");
    act(() => void cache.markAsDeleting("a"));
    expect(text()).toBe("a deleting -");
    act(() => void cache.updateMetadata("a", { message: "soon" }));
    expect(text()).toBe("a deleting soon");
    rerender(<One id="temp-1" />);
    expect(text()).toBe("none");
    act(() => void cache.addAsCreating({ id: "temp-1" }));
    act(() => void cache.replaceCreated("temp-1", { id: "d" }));
    expect(text()).toBe("d created -");
    act(() => cache.close());
  });

  it("has a status that renders when it changes, and only then", () => {
    const { cache } = zones();
    const seen: (string | undefined)[] = [];
    function One() {
      const status = useStatus(cache, "a");
      seen.push(status);
      return <p>{status}</p>;
    }
    render(<One />);
    act(() => void cache.markAsProcessing("a", "processing"));
    act(() => void cache.updateMetadata("a", { progress: 50 }));
    act(() => void cache.markAsDeleting("b"));
    act(() => void cache.markAsDeleting("a"));
    expect(seen).toEqual([undefined, "processing", "deleting"]);
  });

  it("shows nothing when its cache is closed", () => {
    const { cache } = zones();
    function One() {
      return <p>{useResource(cache, "a")?.id ?? "none"}</p>;
    }
    const { container, rerender } = render(<One />);
    cache.close();
    rerender(<One />);
    expect(container.textContent).toBe("none");
  });
});

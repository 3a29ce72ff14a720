// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import axe from "axe-core";
import { readFileSync } from "node:fs";
import { createStorage } from "unstorage";
import { afterEach, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { init, type CacheMetadata, type Row } from "resourcecache";
import {
  ResourceProgress,
  ResourceStatusBadge,
  useResource,
  useResources,
  useStatus,
} from "resourcecache/react";
import { RESOURCE_CACHE_CONFIG, ResourceCache as V1, type CachedResource } from "resourcecache/v1";
import { ZoneList, zones, type Zone } from "./zones.js";

beforeAll(() => init());
afterEach(cleanup);

const marked = (meta: CacheMetadata) => ({ id: "a", _meta: meta });

describe("a badge", () => {
  const text = (meta: CacheMetadata) => {
    const { container } = render(<ResourceStatusBadge resource={marked(meta)} />);
    const badge = container.firstElementChild;
    cleanup();
    return badge?.textContent;
  };

  it("has the document's words, the percentage from 0 on, and the attempts", () => {
    expect(text({ status: "deleting" })).toBe("Deleting...");
    expect(text({ status: "creating", progress: 0 })).toBe("Creating... (0%)");
    expect(text({ status: "updating", progress: 33.3 })).toBe("Saving... (33%)");
    expect(text({ status: "processing", message: "Verifying DNS records...", progress: 100 })).toBe(
      "Verifying DNS records... (100%)",
    );
    expect(text({ status: "retrying", retryCount: 1, maxRetries: 3 })).toBe("Retrying... (1/3)");
    expect(text({ status: "retrying", retryCount: 1, maxRetries: 3, message: "Retry 1/3..." })).toBe(
      "Retry 1/3...",
    );
    expect(text({ status: "retrying", retryCount: 0, maxRetries: 3 })).toBe("Retrying...");
    expect(text({ status: "updating", error: "refused", message: "Update failed" })).toBe("refused");
    expect(text({ status: "retrying", error: "503" })).toBe("Retrying...");
    expect(text({})).toBeUndefined();
  });

  it("leaves the percentage out when told so, and takes other words", () => {
    const resource = marked({ status: "retrying", progress: 50, retryCount: 1, maxRetries: 3 });
    const words = {
      percent: (n: number) => `${n} %`,
      failedAttempts: (n: number, of: number) => `${n} von ${of}`,
    };
    const { container, rerender } = render(
      <ResourceStatusBadge resource={resource} labels={{ retrying: "Neuer Versuch" }} words={words} />,
    );
    expect(container.textContent).toBe("Neuer Versuch (50 %) (1/3)");
    expect(screen.getByRole("img").getAttribute("aria-label")).toBe("1 von 3");
    rerender(<ResourceStatusBadge resource={resource} showProgress={false} className="mine" id="badge" />);
    expect(container.textContent).toBe("Retrying... (1/3)");
    expect(screen.getByRole("status").className).toBe("rc-badge mine");
    expect(screen.getByRole("status").id).toBe("badge");
  });

  it("is a polite status, whose icon is not read out", () => {
    render(<ResourceStatusBadge resource={marked({ status: "deleting" })} />);
    const badge = screen.getByRole("status");
    expect(badge.getAttribute("aria-live")).toBe("polite");
    expect({ ...badge.dataset }).toEqual({ variant: "destructive", status: "deleting" });
    expect(badge.querySelector(".rc-icon")?.getAttribute("aria-hidden")).toBe("true");
    expect(badge.querySelector(".rc-icon")?.getAttribute("data-icon")).toBe("spinner");
  });
});

describe("a progress bar", () => {
  it("shows 0 %, and nothing when none was reported", () => {
    const { container, rerender } = render(<ResourceProgress resource={marked({ status: "creating" })} />);
    expect(container.textContent).toBe("");
    rerender(<ResourceProgress resource={marked({ status: "creating", progress: 0 })} />);
    expect(container.textContent).toBe("creating 0%");
    const bar = screen.getByRole("progressbar", { name: "creating" });
    expect(bar.getAttribute("aria-valuenow")).toBe("0");
    expect(bar.getAttribute("aria-valuemin")).toBe("0");
    expect(bar.getAttribute("aria-valuemax")).toBe("100");
    const message = "Registering with registrar...";
    rerender(<ResourceProgress resource={marked({ status: "creating", progress: 33, message })} />);
    expect(container.textContent).toBe(`${message} 33%`);
    expect(bar.getAttribute("aria-valuenow")).toBe("33");
    expect(bar.querySelector("rect")?.getAttribute("width")).toBe("33%");
  });

  it("says when nothing was heard for too long", () => {
    const { container } = render(
      <ResourceProgress resource={marked({ status: "processing", progress: 5, stalled: true })} />,
    );
    expect(container.textContent).toBe("processing (stalled) 5%");
    expect(container.querySelector(".rc-progress")?.getAttribute("data-stalled")).toBe("true");
  });
});

it("a row and what version 1.0 has of it look the same", async () => {
  const { cache } = zones();
  cache.markAsDeleting("a");
  cache.addAsCreating({ id: "new" });
  cache.markAsUpdating("b", { name: "2" });
  cache.updateMetadata("b", { status: "retrying", retryCount: 2, maxRetries: 3, progress: 0 });
  const [operation = 0] = cache.markAsProcessing("c", "processing").operations;
  const compare = () => {
    const list = JSON.parse(cache.listV1()) as CachedResource<Zone>[];
    for (const resource of list) {
      const row = cache.getOne(resource.id);
      const look = (shown: { row?: Row<Zone> | undefined; resource?: CachedResource<Zone> }) => {
        const { container } = render(
          <>
            <ResourceStatusBadge {...shown} />
            <ResourceProgress {...shown} />
          </>,
        );
        const html = container.innerHTML.replaceAll(/ (id|aria-labelledby)="[^"]*"/g, "");
        cleanup();
        return html;
      };
      expect(look({ resource })).toBe(look({ row }));
    }
    return list.filter((resource) => resource._meta !== undefined).length;
  };
  expect(compare()).toBe(4);
  cache.updateMetadata("c", { progress: 40, message: "Half" });
  expect(compare()).toBe(4);
  cache.complete("c");
  expect(cache.getOne("c")?.badge?.icon).toBe("check");
  expect(compare()).toBe(4);
  const [failing = 0] = cache.markAsUpdating("c", { name: "3" }).operations;
  cache.fail(failing, "refused");
  expect(cache.getOne("c")?.badge?.icon).toBe("cross");
  expect(compare()).toBe(4);
  expect(operation).toBeLessThan(failing);
});

it("breaks no rule of accessibility that axe knows", async () => {
  const { cache } = zones();
  cache.markAsProcessing("a", "processing");
  cache.updateMetadata("a", { progress: 0, message: "Starting..." });
  cache.markAsUpdating("b", { name: "2" });
  cache.updateMetadata("b", { status: "retrying", retryCount: 1, maxRetries: 3 });
  const { container } = render(
    <main>
      <h1>Zones</h1>
      <ZoneList cache={cache} />
    </main>,
  );
  const { violations, passes } = await axe.run(container);
  expect(violations.map((violation) => `${violation.id}: ${violation.help}`)).toEqual([]);
  expect(passes.map((rule) => rule.id)).toEqual(
    expect.arrayContaining(["aria-progressbar-name", "aria-required-attr", "aria-valid-attr-value"]),
  );
});

describe("the stylesheet", () => {
  const css = readFileSync(new URL("../../src/react/style.css", import.meta.url), "utf8");
  const dark = css.indexOf("prefers-color-scheme: dark");
  const colour = (name: string, from: number) => {
    const at = css.indexOf(`${name}:`, from);
    return css.slice(at).match(/#([0-9a-f]{6});/)?.[1] ?? "";
  };
  /** The relative luminance of WCAG 2. */
  const luminance = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => {
      const part = parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: string, other: string) => {
    const [light = 0, dim = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dim + 0.05);
  };

  it.each([0, dark])("has text that can be read, and bars that can be seen", (from) => {
    for (const variant of ["default", "secondary", "destructive"]) {
      const [text, back] = [colour(`--rc-${variant}`, from), colour(`--rc-${variant}-background`, from)];
      expect(contrast(text, back), variant).toBeGreaterThanOrEqual(4.5);
    }
    for (const fill of ["--rc-fill", "--rc-fill-stalled"]) {
      expect(contrast(colour(fill, from), colour("--rc-track", from)), fill).toBeGreaterThanOrEqual(3);
    }
  });

  it("names only classes that the components have", () => {
    const named = new Set(css.match(/\.rc-[a-z-]+/g)?.map((name) => name.slice(1)));
    const { container } = render(
      <>
        <ResourceStatusBadge
          resource={marked({ status: "retrying", progress: 1, retryCount: 1, maxRetries: 2 })}
        />
        <ResourceProgress resource={marked({ status: "retrying", progress: 1 })} />
      </>,
    );
    const had = [...container.querySelectorAll("[class]")].flatMap((element) => [...element.classList]);
    expect([...named].filter((name) => !had.includes(name))).toEqual([]);
  });

  it("holds still for those who ask for less motion", () => {
    const calm = css.slice(css.indexOf("prefers-reduced-motion: reduce"));
    expect(calm).toMatch(/animation: none/);
    expect(calm).toMatch(/transition: none/);
  });
});

it("has types that say what they take", () => {
  const cache = zones().cache;
  expectTypeOf(useResources<Zone>).returns.toEqualTypeOf<readonly Row<Zone>[]>();
  expectTypeOf(() => useResources(cache)).returns.toEqualTypeOf<readonly Row<Zone>[]>();
  expectTypeOf(() => useResource(cache, "a")?.value).returns.toEqualTypeOf<Zone | undefined>();
  expectTypeOf(useStatus<Zone>).returns.toEqualTypeOf<
    "deleting" | "creating" | "updating" | "processing" | "retrying" | undefined
  >();
  const v1 = new V1(createStorage(), RESOURCE_CACHE_CONFIG.domains, "domains:p");
  expectTypeOf(v1.merge<Zone>).returns.resolves.toEqualTypeOf<CachedResource<Zone>[]>();
  const typed = new V1<Zone>(createStorage(), RESOURCE_CACHE_CONFIG.domains, "domains:p");
  expectTypeOf(typed.getOne).returns.resolves.toEqualTypeOf<CachedResource<Zone> | null>();
  // @ts-expect-error Zones have no such field.
  void (() => typed.updateInPlace("a", { size: 1 } satisfies Partial<Zone>));
  // @ts-expect-error No such operation.
  void (() => typed.markAsProcessing("a", "moving"));
  // @ts-expect-error An id is a text.
  void (() => useStatus(cache, 7));
  void (
    // @ts-expect-error The row's role is the badge's own.
    (() => <ResourceStatusBadge resource={marked({})} role="alert" />)
  );
});

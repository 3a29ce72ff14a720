/** Draws lanes of moments: one `<details>` for each, with a strip of SVG; opened, a list of what happened. */
import type { Lane, Moment } from "./recorder.js";
import { settled } from "./recorder.js";
import { style } from "./style.js";

const svg = "http://www.w3.org/2000/svg";
/** The strip's own units; it stretches to the width that there is. */
const width = 1000;
const height = 12;

interface Drawn {
  readonly lane: HTMLDetailsElement;
  readonly title: HTMLElement;
  readonly now: HTMLElement;
  readonly strip: SVGSVGElement;
  readonly list: HTMLOListElement;
  /** The moments that the list tells. */
  told: readonly Moment[];
}

export class Timeline {
  readonly host: HTMLElement;
  readonly #document: Document;
  readonly #now: () => number;
  readonly #lanes: () => Lane[];
  readonly #root: HTMLElement;
  readonly #drawn = new Map<number, Drawn>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(document: Document, now: () => number, lanes: () => Lane[]) {
    this.#document = document;
    this.#now = now;
    this.#lanes = lanes;
    this.host = document.createElement("div");
    const shadow = this.host.attachShadow({ mode: "open" });
    // A constructed sheet, as a content security policy may forbid `<style>`.
    const sheet = new document.defaultView!.CSSStyleSheet();
    sheet.replaceSync(style);
    shadow.adoptedStyleSheets = [sheet];
    this.#root = this.#element("div", "lanes");
    shadow.append(this.#root);
  }

  /** Draws soon: many changes at once are one drawing. */
  changed(): void {
    this.#wake(50);
  }

  draw(): void {
    const lanes = this.#lanes();
    const now = this.#now();
    const from = Math.min(now, ...lanes.map(({ moments }) => moments[0]?.at ?? now));
    const kept = new Set(lanes.map(({ key }) => key));
    for (const [key, { lane }] of this.#drawn) {
      if (kept.has(key)) continue;
      lane.remove();
      this.#drawn.delete(key);
    }
    // In the order of their first drawing, so that nothing moves under a reader's hand.
    for (const { key, moments } of lanes.reverse()) {
      const drawn = this.#drawn.get(key) ?? this.#begin(key);
      this.#tell(drawn, moments, from, Math.max(now, from + 1));
    }
    // What goes on grows with time.
    if (lanes.some(({ moments }) => moments.length > 0 && !settled(moments[moments.length - 1]!)))
      this.#wake(1000);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.host.remove();
  }

  #wake(after: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.draw(), after);
  }

  #begin(key: number): Drawn {
    const lane = this.#element("details", "lane");
    const summary = this.#element("summary");
    const title = this.#element("span", "id");
    const now = this.#element("span", "now");
    const strip = this.#document.createElementNS(svg, "svg") as SVGSVGElement;
    strip.setAttribute("viewBox", `0 0 ${width} ${height}`);
    strip.setAttribute("preserveAspectRatio", "none");
    strip.setAttribute("aria-hidden", "true");
    const list = this.#element("ol");
    summary.append(title, now, strip);
    lane.append(summary, list);
    this.#root.prepend(lane);
    const drawn: Drawn = { lane, title, now, strip, list, told: [] };
    this.#drawn.set(key, drawn);
    return drawn;
  }

  #tell(drawn: Drawn, moments: readonly Moment[], from: number, to: number): void {
    const last = moments[moments.length - 1];
    if (last === undefined) return;
    const scale = (at: number) => ((at - from) / (to - from)) * width;
    drawn.title.textContent = last.id;
    drawn.now.textContent = `${last.state ?? "unknown"}, ${last.visible ? "shown" : "hidden"}`;
    drawn.strip.replaceChildren(
      ...moments.map((moment, index) => {
        const end = moments[index + 1]?.at ?? to;
        const part = this.#document.createElementNS(svg, "rect");
        part.setAttribute("class", `${moment.state ?? "unknown"}${moment.visible ? "" : " hidden"}`);
        part.setAttribute("x", scale(moment.at).toFixed(1));
        // A state of no length is seen all the same.
        part.setAttribute("width", Math.max(scale(end) - scale(moment.at), 3).toFixed(1));
        part.setAttribute("height", String(height));
        return part;
      }),
    );
    if (drawn.told.length === moments.length && drawn.told.at(-1) === last) return;
    drawn.told = [...moments];
    drawn.list.replaceChildren(...moments.map((moment) => this.#item(moment)));
  }

  #item(moment: Moment): HTMLElement {
    const item = this.#element("li");
    const time = this.#element("time");
    time.dateTime = new Date(moment.at).toISOString();
    time.textContent = time.dateTime.slice(11, 23);
    const badge = moment.badge === undefined ? "" : ` as "${moment.badge}"`;
    const shown = moment.visible ? `shown${badge}` : "hidden";
    const state = this.#element("strong");
    state.textContent = moment.state ?? "unknown";
    item.append(time, " ", state, `, ${shown}: ${moment.why} (${moment.rule})`);
    for (const { kind, settlement, error } of moment.outcomes) {
      const outcome = this.#element("span", "outcome");
      const because = error === null ? "" : `: ${error}`;
      outcome.textContent = `${kind}: ${settlement.replace("_", " ")}${because}`;
      item.append(outcome);
    }
    return item;
  }

  #element<Name extends keyof HTMLElementTagNameMap>(name: Name, of?: string): HTMLElementTagNameMap[Name] {
    const element = this.#document.createElement(name);
    if (of !== undefined) element.className = of;
    return element;
  }
}

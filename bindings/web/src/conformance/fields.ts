/** Reading a scenario: JSON of any shape, which is checked as it is read. */

/** A scenario that fails: what was expected, and what came instead. */
export class Ill extends Error {}

/** A JSON object that must be read whole: a field that nobody asked for is an error. */
export class Fields {
  readonly #left: Map<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Ill(`${JSON.stringify(value)} is no object`);
    }
    this.#left = new Map(Object.entries(value));
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  /** A field that must be there. What it holds is what the format says; a runner meets no other. */
  required<V = unknown>(name: string): V {
    if (!this.#left.has(name)) throw new Ill(`${name} is missing`);
    return this.#take(name) as V;
  }

  optional<V = unknown>(name: string): V | undefined {
    return this.#take(name) as V | undefined;
  }

  finish(): void {
    const left = [...this.#left.keys()];
    if (left.length > 0) throw new Ill(`${left.join(", ")}: not known here`);
  }

  #take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }
}

/** Equal as JSON values. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [names, others] = [Object.keys(a), Object.keys(b)];
  const field = (value: object, name: string): unknown => (value as Record<string, unknown>)[name];
  return (
    names.length === others.length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual(field(a, name), field(b, name)))
  );
}

/** Fails unless both are equal. */
export function same(what: string, expected: unknown, got: unknown): void {
  if (isEqual(expected, got)) return;
  throw new Ill(`expected: ${what} ${JSON.stringify(expected)}\n    got: ${JSON.stringify(got)}`);
}

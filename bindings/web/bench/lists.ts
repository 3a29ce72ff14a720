/** The lists of the core's benchmarks: 10,000 resources of about 400 bytes. */

/** How many resources a list has. */
export const COUNT = 10_000;

/** A resource of the lists. */
export interface Zone {
  readonly id: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: object;
  readonly status: object;
}

function resource(number: number, version: number): string {
  const uid = (BigInt(number + 1) * 0x9e3779b97f4a7c15n) % 2n ** 64n;
  const time = "2025-01-19T00:00:00Z";
  return (
    `{"id":"${idOf(number)}","metadata":{"name":"zone-${number}","uid":"${uid.toString(16).padStart(16, "0")}-4f1c",` +
    `"resourceVersion":"${1_000_000 + version}","labels":{"app":"dns","tier":"t${number % 5}"}},` +
    `"spec":{"replicas":${number % 7},"soa":{"refresh":3600,"retry":600},"paused":false},` +
    `"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"${time}"},` +
    `{"type":"Synced","status":"True","lastTransitionTime":"${time}"}]}}`
  );
}

/** The id of a resource by its number. */
export function idOf(number: number): string {
  return `zone-${String(number).padStart(6, "0")}`;
}

const TEXTS = Array.from({ length: COUNT }, (_, number) => resource(number, number));

/** The list, with every hundredth resource in a version of this round's; round 0 has none. */
export function list(round: number): string {
  const texts = TEXTS.slice();
  if (round > 0) {
    for (let i = 0; i < COUNT; i += 100) texts[i] = resource(i, 500_000 + round * 1_000 + (i % 1_000));
  }
  return `[${texts.join(",")}]`;
}

import type { Suite } from '../fidius-calls.ts';
import { numberOf } from './step-sections.ts';
import type { Row } from './recorded.ts';
import type { Verdict } from './values-sections.ts';

interface Drift {
  readonly changed: unknown;
  readonly samples_sent_seen: readonly (readonly [string, string])[];
}

const BATCH = 1000;
const MASK = (1n << 64n) - 1n;

/**
 * The original's float drift, number by number: of the recorded generator's values exactly as many change on their way
 * to Python, and the recorded samples change into the recorded values.
 */
export async function floatDrift(row: Row, strict: Suite): Promise<Verdict> {
  const recorded = row as unknown as { n: unknown; uniform: Drift; random_bits: Drift };
  const { world } = strict;
  world.write(row.input);
  const [load] = row.input.before ?? [];
  if (load === undefined) return 'no load step';
  const handle = await world.load(load, row.input);
  const random = xorshift();
  const count = numberOf(recorded.n);
  const uniform = Array.from({ length: count }, () => Number(random() >> 11n) / 2 ** 53);
  const bits = Array.from({ length: count }, () => finite(random));
  for (const [name, sent, drift] of [
    ['uniform', uniform, recorded.uniform],
    ['random bits', bits, recorded.random_bits],
  ] as const) {
    const seen: number[] = [];
    for (let start = 0; start < count; start += BATCH) {
      const json = `[[${sent
        .slice(start, start + BATCH)
        .map(floatText)
        .join(',')}]]`;
      const answer = Buffer.from(await handle.callTypedJson('floats', json)).toString();
      seen.push(...(JSON.parse(answer) as string[]).map(fromBits));
    }
    const changed = sent
      .map((value, index) => [value, seen[index] ?? NaN] as const)
      .filter(([a, b]) => !Object.is(a, b));
    if (changed.length !== numberOf(drift.changed)) return `${name}: ${changed.length} changed`;
    const pairs = new Map(changed);
    const odd = drift.samples_sent_seen.find(([from, to]) => pairs.get(Number(from)) !== Number(to));
    if (odd !== undefined) return `${name}: ${odd[0]} became ${String(pairs.get(Number(odd[0])))}, expected ${odd[1]}`;
  }
  return undefined;
}

function xorshift(): () => bigint {
  let state = 0x9e3779b97f4a7c15n;
  return () => {
    state ^= (state << 13n) & MASK;
    state ^= state >> 7n;
    state ^= (state << 17n) & MASK;
    return state;
  };
}

function finite(random: () => bigint): number {
  for (;;) {
    const value = fromBits(random().toString(16).padStart(16, '0'));
    if (Number.isFinite(value)) return value;
  }
}

function fromBits(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE();
}

/** A float stays one in JSON. */
function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

import { setTimeout as rest } from 'node:timers/promises';

/** One way of doing the same thing. `run` does it once and checks its result. */
export interface Contender {
  readonly name: string;
  /** Times per round. */
  readonly repeat: number;
  /** Rest after each, in milliseconds, outside of the measurement. @default 0 */
  readonly gapMs?: number;
  /** Before each, outside of the measurement. */
  readonly before?: () => Promise<unknown>;
  run(): Promise<void>;
  /** After each, outside of the measurement. */
  readonly after?: () => Promise<unknown>;
}

/** Times of one contender, in milliseconds. */
export interface Measured {
  readonly name: string;
  /** Median of each round, in order. */
  readonly rounds: readonly number[];
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly min: number;
}

/** A ratio of two contenders, taken round by round. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Runs the contenders round by round, in a new random order each time, so that a drifting machine hits all of them. The
 * first round is a warm-up and does not count.
 */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
): Promise<ReadonlyMap<string, Measured>> {
  const all = new Map(contenders.map(({ name }) => [name, { times: [] as number[], rounds: [] as number[] }]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of shuffled(contenders)) {
      const times = await timeRound(contender);
      if (round === 0) continue;
      const kept = all.get(contender.name);
      kept?.times.push(...times);
      kept?.rounds.push(quantile(times, 0.5));
    }
  }
  return new Map(
    [...all].map(([name, { times, rounds: medians }]) => [
      name,
      {
        name,
        rounds: medians,
        median: quantile(times, 0.5),
        p95: quantile(times, 0.95),
        p99: quantile(times, 0.99),
        min: Math.min(...times),
      },
    ]),
  );
}

/** How many times slower `slow` is than `fast`, round by round. */
export function ratioOf(measured: ReadonlyMap<string, Measured>, slow: string, fast: string): Ratio {
  const a = measured.get(slow)?.rounds ?? [];
  const b = measured.get(fast)?.rounds ?? [];
  const ratios = a.map((value, round) => value / (b[round] ?? Number.NaN));
  return { median: quantile(ratios, 0.5), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/**
 * The best round of one contender, in milliseconds, with all of them around it. Absolute promises are held against it:
 * what others do on the same machine can only add to a figure. Ratios need no such care, both sides suffer alike.
 */
export function bestRound(measured: ReadonlyMap<string, Measured>, name: string): Ratio {
  const rounds = measured.get(name)?.rounds ?? [];
  return { median: Math.min(...rounds), min: Math.min(...rounds), max: Math.max(...rounds) };
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Throws unless both are the same value; every contender asserts its result. */
export function assertSame(actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`wrong result: got ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  }
}

async function timeRound(contender: Contender): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < contender.repeat; turn += 1) {
    await contender.before?.();
    const begun = performance.now();
    await contender.run();
    times.push(performance.now() - begun);
    await contender.after?.();
    if (contender.gapMs !== undefined) await rest(contender.gapMs);
  }
  return times;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((x, y) => x.key - y.key)
    .map(({ item }) => item);
}

import type { Measured, Ratio } from './measure.ts';

/** A promise of the design with what was measured. */
export interface Gate {
  readonly what: string;
  readonly against: string;
  readonly promise: string;
  readonly measured: string;
  readonly isKept: boolean;
}

/** What one case found. */
export interface CaseReport {
  readonly title: string;
  readonly rows: readonly Measured[];
  readonly gates: readonly Gate[];
  readonly notes?: readonly string[];
}

/** Where a gate lies. */
export interface GateLimit {
  readonly what: string;
  readonly against: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly unit: string;
}

/** Holds a figure against its promise. */
export function gate(limit: GateLimit, value: number, spread?: { readonly min: number; readonly max: number }): Gate {
  const { what, against, atLeast, atMost, unit } = limit;
  const range = spread === undefined ? '' : ` (${number(spread.min)}…${number(spread.max)})`;
  return {
    what,
    against,
    promise: atLeast === undefined ? `≤ ${number(atMost ?? 0)}${unit}` : `≥ ${number(atLeast)}${unit}`,
    measured: `${number(value)}${unit}${range}`,
    isKept: atLeast === undefined ? value <= (atMost ?? 0) : value >= atLeast,
  };
}

/** A ratio that is no promise, as a sentence. */
export function ratioNote(what: string, against: string, { median, min, max }: Ratio): string {
  return `${what}: ${number(median)}× (${number(min)}…${number(max)}) of ${against}.`;
}

/** A report as Markdown. */
export function renderMarkdown(reports: readonly CaseReport[]): string {
  return reports
    .map(({ title, rows, gates, notes = [] }) =>
      [
        `## ${title}`,
        '',
        '| case | median ms | p99 ms | min ms |',
        '|---|---|---|---|',
        ...rows.map((row) => `| ${row.name} | ${number(row.median)} | ${number(row.p99)} | ${number(row.min)} |`),
        '',
        '| what | against | promise | measured | |',
        '|---|---|---|---|---|',
        ...gates.map(
          (each) =>
            `| ${each.what} | ${each.against} | ${each.promise} | ${each.measured} | ${each.isKept ? 'kept' : 'MISSED'} |`,
        ),
        ...notes.map((note) => `\n${note}`),
        '',
      ].join('\n'),
    )
    .join('\n');
}

function number(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toPrecision(3);
}

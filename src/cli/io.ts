import pc from 'picocolors';

import { CharmerError, PluginError } from '../errors.ts';

/** Where a command writes: results to `out`, words for people to `err`. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person watches the error stream. */
  readonly isTerminal: boolean;
  readonly color: ReturnType<typeof pc.createColors>;
  readonly stdin: NodeJS.ReadableStream;
}

/** The process's own streams. Colour only on a terminal, never with NO_COLOR. */
export function processIo(): Io {
  const isTerminal = process.stderr.isTTY;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal,
    color: pc.createColors(isTerminal && process.env['NO_COLOR'] === undefined),
    stdin: process.stdin,
  };
}

/** An error as people read it: what failed, then the evidence, then what to do next. */
export function renderError(error: unknown, io: Io): string {
  const { red, dim, bold } = io.color;
  if (!(error instanceof Error)) return `${red('error')}: ${String(error)}\n`;
  if (!(error instanceof CharmerError)) return `${red('error')}: ${error.message}\n`;
  const code = error instanceof PluginError ? error.pluginCode : error.code;
  const lines = [`${red('error')} ${bold(code)}: ${error.message}`];
  if (error.path !== undefined)
    lines.push(dim(`  at ${[error.path, error.line, error.column].filter((part) => part !== undefined).join(':')}`));
  if (error.traceback !== undefined) lines.push(...indent(error.traceback));
  if (error.stacks !== undefined) lines.push(...indent(error.stacks));
  else if (error.stderrTail !== undefined && error.stderrTail.length > 0)
    lines.push(...indent(error.stderrTail.slice(-10).join('\n')));
  if (error.hint !== undefined) lines.push(`  ${bold('next')}: ${error.hint}`);
  return `${lines.join('\n')}\n`;

  function indent(text: string): string[] {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => dim(`  | ${line}`));
  }
}

/** An error for machines. */
export function errorToJson(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    name: error.name,
    message: error.message,
    ...Object.fromEntries(Object.entries(error).filter(([key]) => key !== 'name')),
  };
}

/** Left-aligned columns with two blanks between them. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, index) => Math.max(all[index] ?? 0, visibleLength(cell))),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - visibleLength(cell))))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function visibleLength(text: string): number {
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '').length;
}

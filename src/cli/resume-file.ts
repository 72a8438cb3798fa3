import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs';

import { UsageError } from './exit-code.ts';

/** Rows of an earlier run, and where those of this one are kept. */
export interface ResumeFile {
  /** Whether there is a result for an id; rows with errors are tried again. */
  has(id: string): boolean;
  add(line: string): void;
  close(): void;
}

/** Opens a file of rows, one JSON object a line. Without a path nothing is left out and nothing kept. */
export function openResume(path: unknown): ResumeFile {
  if (typeof path !== 'string') return { has: () => false, add: () => undefined, close: () => undefined };
  const done = new Set(rowsOf(path).flatMap((row) => (row.error === undefined ? [String(row.id)] : [])));
  const descriptor = openSync(path, 'a');
  return {
    has: (id) => done.has(id),
    // A row is on disk before the next one is shown: an interrupted run loses at most what was under way.
    add: (line) => appendFileSync(descriptor, `${line}\n`),
    close: () => closeSync(descriptor),
  };
}

function rowsOf(path: string): readonly { readonly id: unknown; readonly error?: unknown }[] {
  const lines = readIfThere(path).split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as { id: unknown; error?: unknown }];
    } catch (cause) {
      // The last line of an interrupted run may be cut; its item is tried again.
      if (index === lines.length - 1) return [];
      throw new UsageError(`'${path}' line ${index + 1} is no row: one JSON object per line was expected`, { cause });
    }
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

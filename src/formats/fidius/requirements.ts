import type { Finding } from '../../plugin-spec.ts';
import type { ReadonlyTree } from '../format.ts';

/** What a requirements file asks for. */
export interface Requirements {
  /** PEP 508 lines with pip's per-requirement options, such as `--hash`, kept. */
  readonly lines: readonly string[];
  readonly findings: readonly Finding[];
}

/** How deep `-r` may nest. */
const MAX_NESTING = 8;

/** Reads a requirements file and the files it includes with `-r`; what only pip understands becomes a finding. */
export function readRequirements(files: ReadonlyTree, path: string, nesting = 0): Requirements {
  const bytes = isInside(path) ? files.read(path) : undefined;
  if (bytes === undefined) return { lines: [], findings: [] };
  const lines: string[] = [];
  const findings: Finding[] = [];
  for (const { text, line } of logicalLines(new TextDecoder().decode(bytes))) {
    const included = /^(?:-r|--requirement)[ =]?\s*(.+)$/.exec(text)?.[1];
    if (included !== undefined && nesting < MAX_NESTING) {
      const inner = readRequirements(files, beside(path, included), nesting + 1);
      lines.push(...inner.lines);
      findings.push(...inner.findings);
    } else if (text.startsWith('-')) {
      const message = `Option '${text.split(/[ =]/, 1)[0] ?? text}' of the requirements file is ignored`;
      findings.push({ severity: 'warning', message, file: path, line });
    } else {
      lines.push(text);
    }
  }
  return { lines, findings };
}

function logicalLines(source: string): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  let text = '';
  let start = 1;
  for (const [index, raw] of source
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (text === '') start = index + 1;
    const bare = raw.replace(/(^|\s)#.*$/, '').trim();
    text = `${text} ${bare.replace(/\\$/, '')}`.trim();
    if (bare.endsWith('\\')) continue;
    if (text !== '') found.push({ text, line: start });
    text = '';
  }
  if (text !== '') found.push({ text, line: start });
  return found;
}

function beside(path: string, included: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of included.trim().split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}

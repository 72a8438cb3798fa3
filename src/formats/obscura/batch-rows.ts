import type { BatchRow, Diagnostic, OneShotCall } from '../format.ts';
import { isRecord, ownValue } from './record.ts';
import { notAnObject, notOkDiagnostics, type ReplyValue } from './single-value.ts';

type Items = NonNullable<OneShotCall['items']>;

/**
 * The rows of a batch call: exactly one per item, in the order of the items (spec W13, W14). A strict call gets what
 * the original returns: the plugin's own `results`, whatever they are, or a null row per item (§2.2, second table).
 */
export function batchValue(document: unknown, call: OneShotCall): ReplyValue {
  const items = call.items ?? [];
  if (document === null) return { value: nullRows(items), diagnostics: [] };
  if (!isRecord(document)) {
    return { value: call.strict ? nullRows(items) : missingRows(items), diagnostics: [notAnObject(document)] };
  }
  const results = ownValue(document, 'results');
  const diagnostics = notOkDiagnostics(document);
  if (results === undefined || results === null) {
    const isSingle = Object.hasOwn(document, 'result') && !Object.hasOwn(document, 'results');
    if (!isSingle) return { value: nullRows(items), diagnostics };
    const message = `A single reply to a batch call of '${call.operation}': it has a result in place of results`;
    const value = call.strict ? nullRows(items) : missingRows(items);
    return { value, diagnostics: [...diagnostics, { kind: 'single-reply-to-batch', message }] };
  }
  if (call.strict) return { value: results, diagnostics };
  if (!Array.isArray(results)) {
    diagnostics.push({ kind: 'results-not-list', message: 'The results of the reply are no list' });
    return { value: missingRows(items), diagnostics };
  }
  const sorted = sortRows(items, results);
  return { value: sorted.rows, diagnostics: [...diagnostics, ...sorted.diagnostics] };
}

function nullRows(items: Items): BatchRow[] {
  return items.map(({ id }) => ({ id, result: null }));
}

function missingRows(items: Items): BatchRow[] {
  return items.map(({ id }) => ({ id, result: null, missing: true }));
}

interface SortedRows {
  readonly rows: readonly BatchRow[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Ids are compared as they are: 1 is not '1'. Items that share an id take its rows in turn. */
function sortRows(items: Items, results: readonly unknown[]): SortedRows {
  const wanted = new Map<string, number>();
  for (const { id } of items) wanted.set(id, (wanted.get(id) ?? 0) + 1);
  const found = new Map<string, Record<string, unknown>[]>();
  const odd: OddRows = { noObject: 0, unknown: [], duplicate: [] };
  for (const row of results) {
    if (!isRecord(row)) {
      odd.noObject += 1;
      continue;
    }
    const id = ownValue(row, 'id');
    const most = typeof id === 'string' ? wanted.get(id) : undefined;
    if (typeof id !== 'string' || most === undefined) {
      odd.unknown.push(idText(id));
      continue;
    }
    const rows = found.get(id) ?? [];
    if (rows.length === most) odd.duplicate.push(id);
    else found.set(id, [...rows, row]);
  }
  const rows = items.map(({ id }) => rowFor(id, found.get(id)?.shift()));
  const missing = rows.filter((row) => row.missing === true).map((row) => row.id);
  return { rows, diagnostics: oddDiagnostics(odd, missing) };
}

function rowFor(id: string, row: Record<string, unknown> | undefined): BatchRow {
  if (row === undefined) return { id, result: null, missing: true };
  const result = ownValue(row, 'result') ?? null;
  const error = ownValue(row, 'error');
  return result === null && Boolean(error) ? { id, result, error } : { id, result };
}

interface OddRows {
  noObject: number;
  readonly unknown: string[];
  readonly duplicate: string[];
}

function oddDiagnostics({ noObject, unknown, duplicate }: OddRows, missing: readonly string[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  if (noObject > 0) diagnostics.push({ kind: 'row-not-object', message: `A row is no object: ${noObject} dropped` });
  if (unknown.length > 0) diagnostics.push(namedRows('unknown-id', 'Rows with an unknown id were dropped', unknown));
  if (duplicate.length > 0)
    diagnostics.push(namedRows('duplicate-id', 'Later rows with a duplicate id were dropped', duplicate));
  if (missing.length > 0) diagnostics.push(namedRows('rows-missing', 'Rows are missing for the ids', missing));
  return diagnostics;
}

/** How many ids a message names before it only counts. */
const NAMED_IDS = 5;

function namedRows(kind: string, message: string, ids: readonly string[]): Diagnostic {
  const named = ids
    .slice(0, NAMED_IDS)
    .map((id) => `'${id}'`)
    .join(', ');
  const more = ids.length > NAMED_IDS ? ` and ${ids.length - NAMED_IDS} more` : '';
  return { kind, message: `${message}: ${named}${more}`, details: { ids } };
}

function idText(id: unknown): string {
  return typeof id === 'string' ? id : (JSON.stringify(id) ?? 'none');
}

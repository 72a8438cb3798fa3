import { parse, TomlDate, TomlError } from 'smol-toml';
import type { JsonValue } from '../../plugin-spec.ts';
import { tomlPositions, type TomlPosition, type TomlPositions } from './toml-positions.ts';

/** A date or time of TOML, as text: a neighbour of strings that must not be taken for one. */
export interface TomlDatetime {
  readonly datetime: string;
}

/** A TOML value: integers are bigint and floats number, so that `2` and `2.0` stay different. */
export type TomlValue =
  string | bigint | number | boolean | TomlDatetime | readonly TomlValue[] | { readonly [key: string]: TomlValue };

/** A TOML table. */
export type TomlTable = { readonly [key: string]: TomlValue };

/** A parsed document and where its values are. */
export interface TomlDocument {
  readonly root: TomlTable;
  readonly positions: TomlPositions;
}

/** Why a text is no TOML 1.0. */
export interface TomlFault extends TomlPosition {
  readonly reason: string;
}

/** What every TOML 1.1 form holds: an inline table, an escape, or a time without seconds. */
const MAY_BE_NEWER = /[{]|\\[ex]|\d:\d/;

/** A document whose places are looked for when something is wrong: that costs more than parsing. */
class LazyDocument implements TomlDocument {
  readonly root: TomlTable;
  readonly #text: string;
  #positions: TomlPositions | undefined;

  constructor(root: TomlTable, text: string) {
    this.root = root;
    this.#text = text;
  }

  get positions(): TomlPositions {
    return (this.#positions ??= tomlPositions(this.#text));
  }
}

/** The largest and smallest integer of the original's parser. */
const INTEGER_LIMITS = { smallest: -(2n ** 63n), largest: 2n ** 63n - 1n };

/** Parses TOML 1.0; gives the first fault instead of throwing it, because only the caller knows the file. */
export function parseToml(text: string): TomlDocument | TomlFault {
  try {
    const root = convertTable(parse(text, { integersAsBigInt: true }));
    const document = new LazyDocument(root, text);
    const newer = MAY_BE_NEWER.test(text) ? document.positions.newerForms[0] : undefined;
    return newer ?? document;
  } catch (error) {
    if (error instanceof TomlError) {
      const reason = reasonOf(error, text);
      // The parser points behind the bracket of a repeated header, the original at it.
      const column = reason.startsWith('invalid table header') ? error.column - 1 : error.column;
      return { line: error.line, column, width: 1, reason };
    }
    if (error instanceof RangeError) return { line: 1, column: 1, width: 1, reason: error.message };
    throw error;
  }
}

/** A TOML value as the original's JSON shows it. */
export function tomlToJson(value: TomlValue): JsonValue {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object') return value;
  if (isArray(value)) return value.map(tomlToJson);
  if (isDatetime(value)) return { $__toml_private_datetime: value.datetime };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tomlToJson(item)]));
}

/** Whether a value is a date or time. A table with a key of that name is none: its prototype tells. */
export function isDatetime(value: TomlValue): value is TomlDatetime {
  return value instanceof DatetimeText;
}

/** Whether a value is a table. */
export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !isArray(value) && !isDatetime(value);
}

/** Whether a value is an array. */
export function isArray(value: TomlValue): value is readonly TomlValue[] {
  return Array.isArray(value);
}

class DatetimeText implements TomlDatetime {
  readonly datetime: string;
  constructor(datetime: string) {
    this.datetime = datetime;
  }
}

function convertTable(table: Record<string, unknown>): TomlTable {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, convert(value)]));
}

function convert(value: unknown): TomlValue {
  if (value instanceof TomlDate) return new DatetimeText(value.toISOString().replace(/\.0+(?=Z|[+-]|$)/, ''));
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value === 'bigint') return checkedInteger(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return convertTable(value as Record<string, unknown>);
}

function checkedInteger(value: bigint): bigint {
  if (value < INTEGER_LIMITS.smallest || value > INTEGER_LIMITS.largest) {
    throw new RangeError('number too large to fit in target type');
  }
  return value;
}

/** The parser's reason, in the original's words where people meet it often. */
function reasonOf(error: TomlError, text: string): string {
  const lines = text.split('\n');
  const source = (lines[error.line - 1] ?? '').trim();
  if (error.message.includes('redefine')) return duplicateReason(source, lines.slice(0, error.line - 1));
  if (/^[\w-]+$/.test(source)) return 'expected `.`, `=`';
  return (error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '');
}

function duplicateReason(source: string, before: readonly string[]): string {
  const header = /^\[+\s*(.+?)\s*\]+/.exec(source)?.[1];
  if (header !== undefined) return `invalid table header\n${duplicateIn(header, '')}`;
  const table = before.map((line) => /^\s*\[+\s*(.+?)\s*\]+/.exec(line)?.[1]).filter((name) => name !== undefined);
  const key = /^[^=]*/.exec(source)?.[0].trim() ?? '';
  return duplicateIn(key, table.at(-1) ?? '');
}

function duplicateIn(path: string, table: string): string {
  const parts = path.split('.');
  const key = parts.at(-1) ?? path;
  const home = [...(table === '' ? [] : [table]), ...parts.slice(0, -1)].join('.');
  return `duplicate key \`${key}\` in ${home === '' ? 'document root' : `table \`${home}\``}`;
}

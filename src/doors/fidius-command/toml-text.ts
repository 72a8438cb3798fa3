/** Prints TOML values as the original's TOML library does (Fidius spec §2.6, `package inspect`). */
import { comparePaths } from '../../archive/tree-walk.ts';
import { isArray, isDatetime, type TomlTable, type TomlValue } from '../../formats/fidius/toml-value.ts';

/** The lines `key = value` of a table, keys sorted by bytes. */
export function tableLines(table: TomlTable): string[] {
  return sorted(table).map(([key, value]) => `${key} = ${tomlText(value)}`);
}

/** One value in TOML notation; tables are written inline, dates as the library's private table. */
export function tomlText(value: TomlValue): string {
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value !== 'object') return String(value);
  if (isDatetime(value)) return `{ "$__toml_private_datetime" = ${stringText(value.datetime)} }`;
  if (isArray(value)) return `[${value.map(tomlText).join(', ')}]`;
  const entries = sorted(value).map(([key, item]) => `${keyText(key)} = ${tomlText(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function sorted(table: TomlTable): [string, TomlValue][] {
  return Object.entries(table).sort(([left], [right]) => comparePaths(left, right));
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : stringText(key);
}

/** The first form that holds the text as it is: basic, literal, three quotes, three apostrophes; else escapes. */
function stringText(value: string): string {
  const isMultiLine = value.includes('\n');
  const hasControl = /[^\P{ASCII}\P{Cc}\t\n]/u.test(value);
  const hasBackslash = value.includes('\\');
  const open = isMultiLine ? '\n' : '';
  if (hasControl) return quoted(value, isMultiLine);
  if (!isMultiLine && !hasBackslash && !value.includes('"')) return quoted(value, false);
  if (!isMultiLine && !value.includes("'")) return `'${value}'`;
  if (!hasBackslash && !value.includes('"""')) return `"""${open}${value.replaceAll('\t', '\\t')}"""`;
  if (!value.includes("'''")) return `'''${open}${value}'''`;
  return quoted(value, isMultiLine);
}

function quoted(value: string, isMultiLine: boolean): string {
  const escaped = escape(value);
  return isMultiLine ? `"""\n${escaped}"""` : `"${escaped}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

function escape(value: string): string {
  return value.replaceAll(/[\0-\x09\x0b-\x1f\x7f"\\]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return ESCAPES[character] ?? `\\u${code}`;
  });
}

/** Never in exponent form, always with a point. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const text = Math.abs(value) >= 1e21 ? BigInt(value).toString() : plainText(value);
  return text.includes('.') ? text : `${text}.0`;
}

function plainText(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', first = '', rest = '', exponent = ''] = match;
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${first}${rest}`;
}

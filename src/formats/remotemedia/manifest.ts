/** `plugin.toml` → what it says (spec 1.1). Text in, value out; errors name file, line, key and expectation. */
import { isAbsolute, posix, win32 } from 'node:path';

import { parse, TomlError } from 'smol-toml';

import { type ErrorEvidence, LocateError, ManifestError } from '../../errors.ts';
import { tomlPosition } from './toml-position.ts';

/** Name of the manifest file. */
export const MANIFEST_FILE = 'plugin.toml';

/** A Python source plugin as its manifest describes it. */
export interface PluginToml {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly author?: string;
  readonly license?: string;
  /** Dotted module path handed to Python's import. */
  readonly entryModule: string;
  readonly nodeTypes: readonly string[];
  readonly requires: readonly string[];
  /** As written, `.` where absent. */
  readonly moduleRoot: string;
}

type Table = Readonly<Record<string, unknown>>;
/** The original's words for what can be wrong (spec 1.1), in `details.kind`. */
type Kind = 'BadToml' | 'MissingPythonTable' | 'EmptyPythonNodeTypes' | 'ModuleRootEscape' | 'RustPluginWrongPath';

/** One reading of one text: what the checks below share. */
interface Reading {
  readonly text: string;
  readonly path: string;
}

/**
 * Reads a `plugin.toml` (R1 to R7, R9). Unknown keys and tables are ignored; a byte order mark is skipped.
 *
 * @param path Absolute path of the file, for errors.
 * @throws ManifestError `MANIFEST_INVALID`, with the original's kind in `details.kind`
 * @throws LocateError `NATIVE_PLUGIN_UNSUPPORTED` for `language = "rust"`
 */
export function parsePluginToml(bytes: Uint8Array, path: string): PluginToml {
  const reading = { text: decode(bytes, path), path };
  const document = parseDocument(reading);
  const plugin = readTable(reading, document, 'plugin');
  const name = readText(reading, plugin, 'plugin.name');
  const version = readText(reading, plugin, 'plugin.version');
  checkLanguage(reading, readText(reading, plugin, 'plugin.language'), name);
  if (document['python'] === undefined) {
    const message = "plugin.toml has no table '[python]', a Python plugin needs one";
    throw broken(reading, { kind: 'MissingPythonTable', message, key: 'python' });
  }
  const python = readTable(reading, document, 'python');
  return {
    name,
    version,
    ...optionalTexts(reading, plugin),
    entryModule: readEntryModule(reading, python),
    nodeTypes: readNodeTypes(reading, python),
    requires: readTexts(reading, python, 'python.requires') ?? [],
    moduleRoot: readModuleRoot(reading, python),
  };
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const message = 'plugin.toml is not valid TOML: it is not UTF-8';
    throw broken({ text: '', path }, { kind: 'BadToml', message, cause });
  }
}

function parseDocument(reading: Reading): Table {
  try {
    return parse(reading.text, { integersAsBigInt: 'asNeeded' });
  } catch (cause) {
    const at = cause instanceof TomlError ? { line: cause.line, column: cause.column } : {};
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    const message = `plugin.toml is not valid TOML: ${reason.replace(/^Invalid TOML document: /u, '')}`;
    throw broken(reading, { kind: 'BadToml', message, cause, ...at });
  }
}

function readTable(reading: Reading, document: Table, name: string): Table {
  const value = document[name];
  if (isTable(value)) return value;
  throw wrongType(reading, name, { value, expected: 'a table' });
}

function readText(reading: Reading, table: Table, key: string): string {
  const value = table[lastWord(key)];
  if (typeof value === 'string') return value;
  throw wrongType(reading, key, { value, expected: 'a string' });
}

function readTexts(reading: Reading, table: Table, key: string): readonly string[] | undefined {
  const value = table[lastWord(key)];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  throw wrongType(reading, key, { value, expected: 'a list of strings' });
}

function optionalTexts(reading: Reading, plugin: Table): Pick<PluginToml, 'description' | 'author' | 'license'> {
  const texts: Record<string, string> = {};
  for (const key of ['description', 'author', 'license']) {
    if (plugin[key] !== undefined) texts[key] = readText(reading, plugin, `plugin.${key}`);
  }
  return texts;
}

function checkLanguage(reading: Reading, language: string, name: string): void {
  if (language === 'python') return;
  if (language === 'rust') {
    throw new LocateError(
      'NATIVE_PLUGIN_UNSUPPORTED',
      `Plugin '${name}' is a native plugin (language 'rust'), not a Python source plugin`,
      evidence(reading, {
        kind: 'RustPluginWrongPath',
        key: 'plugin.language',
        hint: 'Native libraries do not run here: use a plugin whose plugin.toml says language = "python"',
      }),
    );
  }
  const message = `plugin.toml is not valid TOML: 'plugin.language' is '${language}', 'python' or 'rust' is expected`;
  const hint = language.toLowerCase() === 'python' ? 'Write language = "python", in lower case' : undefined;
  throw broken(reading, { kind: 'BadToml', message, key: 'plugin.language', hint });
}

function readEntryModule(reading: Reading, python: Table): string {
  const key = 'python.entry_module';
  const entryModule = readText(reading, python, key);
  if (entryModule !== '') return entryModule;
  const message = `plugin.toml is not valid TOML: '${key}' is empty, a module name is expected`;
  throw broken(reading, { kind: 'BadToml', message, key });
}

function readNodeTypes(reading: Reading, python: Table): readonly string[] {
  const key = 'python.node_types';
  const nodeTypes = readTexts(reading, python, key) ?? [];
  if (nodeTypes.length > 0) return nodeTypes;
  const message = `plugin.toml names no node type: '${key}' is empty, at least one is expected`;
  throw broken(reading, { kind: 'EmptyPythonNodeTypes', message, key });
}

/** R7: honoured, and confined to the plugin's directory. */
function readModuleRoot(reading: Reading, python: Table): string {
  const key = 'python.module_root';
  const given = python['module_root'] === undefined ? '.' : readText(reading, python, key);
  const root = posix.normalize(given === '' ? '.' : given);
  const leaves = root === '..' || root.startsWith('../') || isAbsolute(given) || win32.isAbsolute(given);
  if (!leaves) return root.length > 1 && root.endsWith('/') ? root.slice(0, -1) : root;
  const message = `'${key}' is '${given}', which would escape the plugin: a directory inside it is expected`;
  throw broken(reading, { kind: 'ModuleRootEscape', message, key });
}

function wrongType(
  reading: Reading,
  key: string,
  { value, expected }: { readonly value: unknown; readonly expected: string },
): ManifestError {
  const state = value === undefined ? 'is missing' : `is ${describe(value)}`;
  const message = `plugin.toml is not valid TOML: '${key}' ${state}, ${expected} is expected`;
  return broken(reading, { kind: 'BadToml', message, key });
}

/** What is wrong with a manifest. */
interface Fault extends Omit<ErrorEvidence, 'details'> {
  readonly kind: Kind;
}

function broken(reading: Reading, { message, ...fault }: Fault & { readonly message: string }): ManifestError {
  return new ManifestError('MANIFEST_INVALID', message, evidence(reading, fault));
}

function evidence(reading: Reading, { kind, key, ...more }: Fault): ErrorEvidence {
  const [table = '', name] = key?.split('.') ?? [];
  const at = key === undefined ? undefined : tomlPosition(reading.text, table, name);
  return { path: reading.path, key, ...at, ...more, details: { kind } };
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list of other things';
  if (isTable(value)) return 'a table';
  return `the ${typeof value} '${String(value)}'`;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function lastWord(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

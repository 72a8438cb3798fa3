import { ManifestError } from '../../errors.ts';
import type { JsonObject } from '../../plugin-spec.ts';
import { shapeFault } from './manifest-shape.ts';
import { isTable, parseToml, tomlToJson, type TomlDocument, type TomlFault } from './toml-value.ts';
import type { TomlTable, TomlValue } from './toml-value.ts';

/** File name of the manifest at the root of a package. */
export const MANIFEST_FILE = 'package.toml';

/** What a package is made of. Only `python` packages run here. */
export type PackageRuntime = 'rust' | 'python' | 'wasm';

/** A `package.toml` that passed every check of the original (F1, F2). */
export interface PackageManifest {
  /** Used verbatim in archive names; the original validates nothing. */
  readonly name: string;
  readonly version: string;
  /** Informational: never compared with a host's interface by the original. */
  readonly interface: string;
  /** From 0 to 4294967295. */
  readonly interfaceVersion: number;
  /** Archive extension without its dot. @default 'fid' */
  readonly extension: string;
  readonly runtime: PackageRuntime;
  /** Host-defined; any TOML value. */
  readonly metadata: TomlValue;
  readonly python?: PythonSection;
  readonly wasm?: WasmSection;
}

/** The `[python]` table. */
export interface PythonSection {
  /** Dotted module path importable from the package root or `vendor/`. */
  readonly entryModule: string;
  /** Path relative to the package root. @default 'requirements.txt' */
  readonly requirements: string;
}

/** The `[wasm]` table. */
export interface WasmSection {
  readonly component: string;
  readonly precompiled?: string;
  readonly capabilities: readonly string[];
}

/** Which of the original's errors a `MANIFEST_INVALID` stands for, in `details.kind`. */
export type PackageErrorKind = 'ParseError' | 'InvalidManifest' | 'Io';

/**
 * Parses and checks a manifest for tools: packages of every runtime pass.
 *
 * @param source Text, or bytes that must be UTF-8.
 * @param path File that errors name.
 * @throws ManifestError `MANIFEST_INVALID` with `line`, `column`, `key` where known; `details.kind` is the original's
 *   error and `details.text` its wording
 */
export function parsePackageManifest(source: string | Uint8Array, path: string): PackageManifest {
  const text = typeof source === 'string' ? source : decode(source, path);
  const document = parseToml(text);
  if ('reason' in document) throw parseError({ text, path }, document);
  const fault = shapeFault(document);
  if (fault !== undefined) throw parseError({ text, path }, fault);
  const manifest = build(document.root, path, document);
  checkSections(manifest, path, document);
  return manifest;
}

/** The manifest in the original's field names: absent sections are null. */
export function manifestJson(manifest: PackageManifest): JsonObject {
  const { python, wasm } = manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    interface: manifest.interface,
    interface_version: manifest.interfaceVersion,
    extension: manifest.extension,
    runtime: manifest.runtime,
    metadata: tomlToJson(manifest.metadata),
    python: python === undefined ? null : { entry_module: python.entryModule, requirements: python.requirements },
    wasm:
      wasm === undefined
        ? null
        : { component: wasm.component, precompiled: wasm.precompiled ?? null, capabilities: wasm.capabilities },
  };
}

function build(root: TomlTable, path: string, document: TomlDocument): PackageManifest {
  const header = tableAt(root, 'package');
  const python = root['python'];
  const wasm = root['wasm'];
  return {
    name: textAt(header, 'name', ''),
    version: textAt(header, 'version', ''),
    interface: textAt(header, 'interface', ''),
    interfaceVersion: Number(header['interface_version']),
    extension: textAt(header, 'extension', 'fid'),
    runtime: runtimeOf(textAt(header, 'runtime', 'rust'), path, document),
    metadata: root['metadata'] ?? {},
    ...(isTable(python) ? { python: pythonSection(python) } : {}),
    ...(isTable(wasm) ? { wasm: wasmSection(wasm) } : {}),
  };
}

function pythonSection(table: TomlTable): PythonSection {
  return {
    entryModule: textAt(table, 'entry_module', ''),
    requirements: textAt(table, 'requirements', 'requirements.txt'),
  };
}

function wasmSection(table: TomlTable): WasmSection {
  const { precompiled, capabilities } = table;
  return {
    component: textAt(table, 'component', ''),
    ...(typeof precompiled === 'string' ? { precompiled } : {}),
    capabilities: Array.isArray(capabilities) ? capabilities.map(String) : [],
  };
}

function tableAt(root: TomlTable, key: string): TomlTable {
  const value = root[key];
  return isTable(value) ? value : {};
}

function textAt(table: TomlTable, key: string, fallback: string): string {
  const value = table[key];
  return typeof value === 'string' ? value : fallback;
}

function runtimeOf(value: string, path: string, document: TomlDocument): PackageRuntime {
  if (value === 'rust' || value === 'python' || value === 'wasm') return value;
  const text = `unknown runtime '${value}': allowed values are "rust", "python", "wasm"`;
  throw invalid({ path, document }, text, 'package.runtime');
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ManifestError('MANIFEST_INVALID', `Manifest '${path}' is not UTF-8, expected UTF-8 text`, {
      path,
      cause,
      details: {
        kind: 'Io' satisfies PackageErrorKind,
        text: `io error reading ${MANIFEST_FILE}: stream did not contain valid UTF-8`,
      },
    });
  }
}

/** The cross-section rules: nine cases of runtime and sections (spec 1.2). */
function checkSections(manifest: PackageManifest, path: string, document: TomlDocument): void {
  const { runtime, python, wasm } = manifest;
  if (runtime === 'python' && python === undefined) reject('runtime', needs('python', 'entry_module'));
  if (runtime !== 'python' && python !== undefined) reject('python', only('python'));
  if (runtime === 'wasm' && wasm === undefined) reject('runtime', needs('wasm', 'component'));
  if (runtime !== 'wasm' && wasm !== undefined) reject('wasm', only('wasm'));

  function reject(key: string, text: string): never {
    const place = key === 'runtime' ? 'package.runtime' : key;
    throw invalid({ path, document }, text, place);
  }
}

function needs(runtime: string, field: string): string {
  return `runtime = "${runtime}" requires a [${runtime}] section with \`${field}\``;
}

function only(runtime: string): string {
  return `[${runtime}] section is only valid when runtime = "${runtime}"`;
}

function invalid(
  where: { readonly path: string; readonly document: TomlDocument },
  text: string,
  key: string,
): ManifestError {
  const { path, document } = where;
  const position = document.positions.values.get(key);
  return new ManifestError('MANIFEST_INVALID', `Manifest '${path}' is invalid: ${text}`, {
    path,
    key,
    line: position?.line,
    column: position?.column,
    details: { kind: 'InvalidManifest' satisfies PackageErrorKind, text: `invalid manifest: ${text}` },
  });
}

/** A fault of syntax or shape, with the report that the original prints below its first words. */
function parseError(source: { text: string; path: string }, fault: TomlFault & { key?: string }): ManifestError {
  const text = source.text.replace(/^\ufeff/, '');
  const line = (text.split('\n')[fault.line - 1] ?? '').replace(/\r$/, '');
  const gutter = ' '.repeat(String(fault.line).length);
  const report = [
    `TOML parse error at line ${fault.line}, column ${fault.column}`,
    `${gutter} |`,
    `${fault.line} | ${line}`,
    `${gutter} | ${' '.repeat(fault.column - 1)}${'^'.repeat(fault.width)}`,
    `${fault.reason}\n`,
  ].join('\n');
  const where = `line ${fault.line}, column ${fault.column}`;
  const reason = fault.reason.replaceAll('\n', ': ');
  return new ManifestError('MANIFEST_INVALID', `Manifest '${source.path}' cannot be read at ${where}: ${reason}`, {
    path: source.path,
    line: fault.line,
    column: fault.column,
    key: fault.key,
    details: {
      kind: 'ParseError' satisfies PackageErrorKind,
      text: `failed to parse ${MANIFEST_FILE}: ${report}`,
    },
  });
}

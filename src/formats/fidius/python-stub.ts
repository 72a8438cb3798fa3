import { hashInterface } from './interface-hash.ts';
import { parseInterfaceSource, selectInterface, type InterfaceSource } from './interface-source.ts';
import type { RustInterface, RustMethod } from './interface-source.ts';
import { compatHint, richHint, type PythonHint } from './python-hints.ts';
import { isPythonIdentifier, pythonName, pythonNames } from './python-names.ts';
import { pythonTypes, type PythonTypes } from './python-types.ts';
import { streamItem } from './rust-type.ts';

/** A generated Python module and what it is for. */
export interface PythonStub {
  readonly trait: string;
  /** The hash in the file: A, or B where the original's shape was asked for. */
  readonly hash: string;
  readonly text: string;
}

/** How a stub is written. */
export interface PythonStubOptions {
  /** File that errors name. @default 'lib.rs' */
  readonly path?: string;
  /** @default the only interface of the file */
  readonly trait?: string | undefined;
  /**
   * Whether the stub has the shape of the original tool's: its hash, its argument order, `Any` for own types.
   * Unlike the original's it can always be imported. @default false
   */
  readonly compat?: boolean;
}

// As long as the original's two lines: its tool prints the size of the file.
const NOTICE = [
  '# Generated from a Rust interface. Regenerate it when the interface changes;',
  '# fill in the functions: each host finds them by name.',
];

const UNMAPPED_NOTICE = [
  '# Some Rust types have no Python hint here and are Any.',
  '# The comments before each method name them.',
  '# Replace them with classes or TypedDicts of your own.',
];

/**
 * Writes a Python module with one function per method, to be filled in (F18, FW2).
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID`
 */
export async function pythonStub(source: string, options: PythonStubOptions = {}): Promise<PythonStub> {
  const parsed = await parseInterfaceSource(source, options.path ?? 'lib.rs');
  const trait = selectInterface(parsed, options.trait);
  const { a, b } = hashInterface(trait);
  const hash = options.compat === true ? b.hash : a.hash;
  const text = options.compat === true ? compatText(trait, hash) : richText(parsed, trait, hash);
  return { trait: trait.name, hash, text };
}

/** One function of a stub. */
interface StubFunction {
  readonly method: RustMethod;
  readonly params: readonly { readonly name: string; readonly hint: PythonHint }[];
  readonly returns: PythonHint;
  /** Comment lines between the documentation and the decorator. */
  readonly notes: readonly string[];
}

function compatText(trait: RustInterface, hash: string): string {
  const functions = trait.methods.map((method) => stubFunction(method, compatHint, method.args));
  const body = functions.flatMap((each) => [...functionLines(each), '']);
  return [...header(trait, hash, ['Any', 'Optional']), ...unmappedNotice(functions), ...body, ''].join('\n');
}

function richText(source: InterfaceSource, trait: RustInterface, hash: string): string {
  const types = pythonTypes(source, trait);
  const functions = trait.methods.map((method) => {
    const first = method.args.filter(({ type }) => streamItem(type) !== undefined);
    const rest = method.args.filter(({ type }) => streamItem(type) === undefined);
    return stubFunction(method, (type) => richHint(type, types.lookup), [...first, ...rest]);
  });
  const body = functions.flatMap((each) => [...functionLines(each), '']);
  const names = typingNames(types, body.join('\n'));
  return [...header(trait, hash, names), ...types.lines, ...unmappedNotice(functions), ...body, ''].join('\n');
}

function header(trait: RustInterface, hash: string, typing: readonly string[]): string[] {
  return [
    ...NOTICE,
    `# Interface: ${trait.name}  (interface_hash = ${hash})`,
    '',
    'from __future__ import annotations',
    '',
    ...(typing.length === 0 ? [] : [`from typing import ${typing.join(', ')}`, '']),
    'from fidius import method',
    '',
    `__interface_hash__ = ${hash}`,
    '',
  ];
}

function unmappedNotice(functions: readonly StubFunction[]): string[] {
  const hints = functions.flatMap((each) => [...each.params.map((param) => param.hint), each.returns]);
  return hints.some((hint) => hint.unmapped !== undefined) ? [...UNMAPPED_NOTICE, ''] : [];
}

function typingNames(types: PythonTypes, body: string): string[] {
  const inBody = ['Any', 'Iterator', 'Optional'].filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  return [...new Set([...types.imports, ...inBody])].sort();
}

function stubFunction(
  method: RustMethod,
  hintOf: (type: RustMethod['returns']) => PythonHint,
  args: RustMethod['args'],
): StubFunction {
  const names = pythonNames(args.map((argument) => argument.name));
  const bytes: PythonHint = { annotation: 'bytes' };
  const params = args.map((argument, index) => ({
    name: names[index] ?? argument.name,
    hint: method.isRaw ? bytes : hintOf(argument.type),
  }));
  const returns = method.isRaw ? bytes : hintOf(method.returns);
  const notes = [
    ...(method.isRaw ? ['# (raw: bytes in, bytes out)'] : []),
    ...params.flatMap(({ name, hint }) => unmappedNote(`parameter ${name}`, hint)),
    ...unmappedNote('result', returns),
  ];
  return { method, params, returns, notes };
}

function unmappedNote(what: string, { unmapped }: PythonHint): string[] {
  return unmapped === undefined ? [] : [`# TODO: ${what}: ${unmapped.kind} ${unmapped.rust}`];
}

function functionLines({ method, params, returns, notes }: StubFunction): string[] {
  const name = pythonName(method.name);
  const list = params.map((param) => `${param.name}: ${param.hint.annotation}`).join(', ');
  const bare = method.name.replace(/^r#/, '');
  return [
    ...method.docs.map((line) => `# ${line}`),
    ...notes,
    '@method',
    `def ${name}(${list}) -> ${returns.annotation}:`,
    '    raise NotImplementedError',
    // A host looks for the Rust name, which cannot stand after def.
    ...(isPythonIdentifier(bare) ? [] : ['', `globals()['${bare}'] = ${name}`]),
  ];
}

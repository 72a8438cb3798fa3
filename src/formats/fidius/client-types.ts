import type { InterfaceDescriptor, MethodDescriptor, TypeDescriptor } from './descriptor.ts';
import { parseInterfaceSource, selectInterface, type RustInterface } from './interface-source.ts';
import { reachableTypes } from './reachable-types.ts';
import { describeInterface } from './type-descriptor.ts';
import { propertyName, typescriptDeclaration, typescriptType } from './typescript-types.ts';

/** A generated TypeScript module and what is in it. */
export interface ClientTypes {
  readonly trait: string;
  /** Also exported by the module, for `host.load(reference, { interface })`. */
  readonly descriptor: InterfaceDescriptor;
  readonly text: string;
}

/** How the module is written. */
export interface ClientTypesOptions {
  /** File that errors name. @default 'lib.rs' */
  readonly path?: string;
  /** @default the only interface of the file */
  readonly trait?: string | undefined;
  /** Where the module imports our types from. @default 'charmer' */
  readonly importFrom?: string;
}

/** Names that a client cannot have as methods: promises and call options are told by them. */
const TAKEN: ReadonlySet<string> = new Set(['then', 'with']);

/**
 * Writes a TypeScript module for a Rust interface: its descriptor, its types, and a typed client.
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID`
 */
export async function clientTypes(source: string, options: ClientTypesOptions = {}): Promise<ClientTypes> {
  const parsed = await parseInterfaceSource(source, options.path ?? 'lib.rs');
  const trait = selectInterface(parsed, options.trait);
  const descriptor = describeInterface(parsed, trait);
  const declared = new Map(parsed.types.map((type) => [type.name, type]));
  const types = reachableTypes(parsed, trait).map((type) => typescriptDeclaration(type, declared));
  const constant = trait.name.charAt(0).toLowerCase() + trait.name.slice(1);
  const text = [
    "// Generated from a Rust interface by 'charmer types'. Regenerate it when the interface changes.",
    `import type { Plugin, PluginClient } from ${JSON.stringify(options.importFrom ?? 'charmer')};`,
    '',
    `/** What a plugin must offer to be \`${trait.name}\`: the \`interface\` option of \`host.load\`. */`,
    `export const ${constant}Interface = ${JSON.stringify(descriptor, null, 2)} as const;`,
    '',
    ...types,
    ...clientInterface(trait, descriptor),
    '',
    `/** A typed client of a plugin that was loaded with \`${constant}Interface\`. */`,
    `export function ${constant}Client(plugin: Plugin): PluginClient<${trait.name}> {`,
    `  return plugin.client<${trait.name}>();`,
    '}',
    '',
  ].join('\n');
  return { trait: trait.name, descriptor, text };
}

function clientInterface(trait: RustInterface, descriptor: InterfaceDescriptor): string[] {
  const docs = trait.docs.length === 0 ? [] : [comment(trait.docs, '')];
  const methods = descriptor.methods.flatMap((method, index) => {
    const words = trait.methods[index]?.docs ?? [];
    const note = method.optional === true ? ['Optional: a plugin may lack it.'] : [];
    if (TAKEN.has(method.name)) return [`  // '${method.name}' cannot be a method of a client: use plugin.call().`];
    const text = [...words, ...note];
    return [...(text.length === 0 ? [] : [comment(text, '  ')]), `  ${signature(method)}`];
  });
  return [...docs, `export interface ${trait.name} {`, ...methods, '}'];
}

function signature(method: MethodDescriptor): string {
  const { args = [], returns = 'unit', kind, wireRaw } = method;
  const names = new Map<string, number>();
  const list = args.map(({ name, type = 'any' }, index) => {
    const spelled = parameterName(name, index, names);
    return `${spelled}: ${wireRaw === true ? 'Uint8Array' : argumentType(type)}`;
  });
  const result = wireRaw === true ? 'Uint8Array' : resultType(returns);
  const isStream = kind === 'server-stream' || kind === 'bidi';
  return `${propertyName(method.name)}(${list.join(', ')}): ${isStream ? result : `Promise<${result}>`};`;
}

/** A method that returns a Result gives its value and rejects with its error. */
function resultType(type: TypeDescriptor): string {
  const result = typeof type === 'object' && type !== null && 'result' in type ? type['result'] : undefined;
  return typescriptType(Array.isArray(result) ? ((result as readonly TypeDescriptor[])[0] ?? 'any') : type);
}

function argumentType(type: TypeDescriptor): string {
  const text = typescriptType(type);
  const item = /^AsyncIterable<(.*)>$/s.exec(text)?.[1];
  return item === undefined ? text : `AsyncIterable<${item}>`;
}

const RESERVED =
  /^(?:arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/;

function parameterName(name: string, index: number, seen: Map<string, number>): string {
  const isUsable = propertyName(name) === name && !RESERVED.test(name);
  const wanted = isUsable ? name : `${name.replace(/[^\p{ID_Continue}]/gu, '')}_` || `arg${index}`;
  const count = (seen.get(wanted) ?? 0) + 1;
  seen.set(wanted, count);
  return count === 1 ? wanted : `${wanted}${count}`;
}

function comment(lines: readonly string[], indent: string): string {
  const text = lines.join(' ').replaceAll('*/', '* /').trim();
  return `${indent}/** ${text} */`;
}

import { ManifestError } from '../../errors.ts';
import { attributeNamed, itemsWithPrelude, type PreludedNode, type RustAttribute } from './rust-attributes.ts';
import { readDeclaredTypes, type DeclaredType } from './declared-types.ts';
import { namedChildren, withRustTree, type RustNode } from './rust-grammar.ts';
import { readType } from './rust-type-reader.ts';
import type { RustType } from './rust-type.ts';

/** An argument of an interface method, the receiver left out. */
export interface RustArgument {
  /** As spelled, with `r#`; `_arg` for a pattern. */
  readonly name: string;
  readonly type: RustType;
}

/** A method of an interface trait. */
export interface RustMethod {
  /** As spelled, with `r#`. */
  readonly name: string;
  readonly args: readonly RustArgument[];
  /** Absent when no return type is written. */
  readonly returns?: RustType;
  readonly isRaw: boolean;
  readonly isOptional: boolean;
  readonly isAsync: boolean;
  readonly hasMutableReceiver: boolean;
  readonly attributes: readonly RustAttribute[];
  readonly docs: readonly string[];
}

/** A trait marked `#[plugin_interface]`. */
export interface RustInterface {
  readonly name: string;
  /** The marker itself. */
  readonly marker: RustAttribute;
  readonly attributes: readonly RustAttribute[];
  readonly docs: readonly string[];
  /** In declaration order: the position is the index that hosts use. */
  readonly methods: readonly RustMethod[];
}

/** What a Rust file says about interfaces. */
export interface InterfaceSource {
  /** File that errors name. */
  readonly path: string;
  /** Marked traits at the top level; those inside modules or macros are invisible, as to the original. */
  readonly interfaces: readonly RustInterface[];
  /** Structs, enums and aliases at the top level. */
  readonly types: readonly DeclaredType[];
}

/**
 * Reads the interfaces of a Rust file with Rust's grammar (spec 5.2).
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID` for broken Rust, with line and column
 */
export async function parseInterfaceSource(source: string, path: string): Promise<InterfaceSource> {
  return withRustTree(source.replace(/^\ufeff/, ''), path, (root) => {
    const items = itemsWithPrelude(root);
    return { path, interfaces: items.flatMap(readInterface), types: readDeclaredTypes(items) };
  });
}

/**
 * The interface of a name, or the only one.
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID` listing what there is; `details.text` has the original's wording
 */
export function selectInterface(source: InterfaceSource, name?: string): RustInterface {
  const { path, interfaces } = source;
  const [first] = interfaces;
  const names = interfaces.map((each) => each.name).join(', ');
  if (first === undefined) throw unselected(path, `no \`#[plugin_interface]\` trait found in ${path}`);
  if (name === undefined && interfaces.length > 1) {
    const text = `multiple \`#[plugin_interface]\` traits in ${path}: ${names}. Pass --trait-name to choose.`;
    throw unselected(path, text, `Interface source '${path}' has several interfaces, expected a choice of ${names}`);
  }
  const chosen = name === undefined ? first : interfaces.find((each) => each.name === name);
  if (chosen === undefined) throw unselected(path, `trait '${name ?? ''}' not found in ${path}; available: ${names}`);
  return chosen;
}

function unselected(path: string, text: string, message?: string): ManifestError {
  const sentence = message ?? text.charAt(0).toUpperCase() + text.slice(1);
  return new ManifestError('INTERFACE_SOURCE_INVALID', sentence, { path, details: { text } });
}

function readInterface(item: PreludedNode): RustInterface[] {
  const marker = attributeNamed(item, 'plugin_interface');
  const name = item.node.childForFieldName('name')?.text;
  const body = item.node.childForFieldName('body');
  if (item.node.type !== 'trait_item' || marker === undefined || name === undefined || body === null) return [];
  const functions = itemsWithPrelude(body).filter(({ node }) => node.type.startsWith('function_'));
  return [{ name, marker, attributes: item.attributes, docs: item.docs, methods: functions.map(readMethod) }];
}

function readMethod(item: PreludedNode): RustMethod {
  const { node } = item;
  const parameters = node.childForFieldName('parameters');
  const children = parameters === null ? [] : namedChildren(parameters);
  const returns = node.childForFieldName('return_type');
  const modifiers = namedChildren(node).find((child) => child.type === 'function_modifiers');
  return {
    name: node.childForFieldName('name')?.text ?? '',
    args: children.flatMap(readArgument),
    ...(returns === null ? {} : { returns: readType(returns) }),
    isRaw: attributeNamed(item, 'wire')?.arguments?.trim() === 'raw',
    isOptional: attributeNamed(item, 'optional') !== undefined,
    isAsync: /\basync\b/.test(modifiers?.text ?? ''),
    hasMutableReceiver: children.some((child) => /^&\s*(?:'\w+\s+)?mut\b/.test(receiverText(child))),
    attributes: item.attributes,
    docs: item.docs,
  };
}

function receiverText(node: RustNode): string {
  return node.type === 'self_parameter' ? node.text : '';
}

function readArgument(node: RustNode): RustArgument[] {
  if (node.type !== 'parameter') return [];
  const type = node.childForFieldName('type');
  const pattern = node.childForFieldName('pattern');
  if (type === null || pattern?.type === 'self') return [];
  return [{ name: pattern?.type === 'identifier' ? pattern.text : '_arg', type: readType(type) }];
}

import { namedChildren, type RustNode } from './rust-grammar.ts';
import type { RustType } from './rust-type.ts';

/** Copies a type out of a syntax tree. */
export function readType(node: RustNode): RustType {
  const text = node.text;
  switch (node.type) {
    case 'primitive_type':
    case 'type_identifier':
    case 'identifier':
      return { kind: 'path', text, name: text, isBare: true, args: [] };
    case 'scoped_type_identifier':
    case 'scoped_identifier':
      return { kind: 'path', text, name: node.childForFieldName('name')?.text ?? text, isBare: false, args: [] };
    case 'generic_type':
      return readGeneric(node);
    case 'reference_type':
      return readWrapped(node, (inner) => ({ kind: 'reference', text, inner }));
    case 'array_type':
      return readArray(node);
    case 'unit_type':
      return { kind: 'tuple', text, items: [] };
    case 'tuple_type':
      return readTuple(node);
    default:
      return { kind: 'other', text };
  }
}

function readGeneric(node: RustNode): RustType {
  const base = node.childForFieldName('type');
  const list = node.childForFieldName('type_arguments');
  if (base === null || list === null) return { kind: 'other', text: node.text };
  const path = readType(base);
  if (path.kind !== 'path') return { kind: 'other', text: node.text };
  const args = namedChildren(list).filter((child) => child.type !== 'lifetime' && !child.type.endsWith('comment'));
  return { ...path, text: node.text, args: args.map(readType) };
}

function readWrapped(node: RustNode, wrap: (inner: RustType) => RustType): RustType {
  const inner = node.childForFieldName('type');
  return inner === null ? { kind: 'other', text: node.text } : wrap(readType(inner));
}

function readArray(node: RustNode): RustType {
  const element = node.childForFieldName('element');
  if (element === null) return { kind: 'other', text: node.text };
  const length = node.childForFieldName('length');
  const item = readType(element);
  return length === null
    ? { kind: 'slice', text: node.text, item }
    : { kind: 'array', text: node.text, item, length: length.text };
}

/** `(T)` is a parenthesised type, `(T,)` a tuple of one. */
function readTuple(node: RustNode): RustType {
  const items = namedChildren(node).filter((child) => !child.type.endsWith('comment'));
  const [only] = items;
  const hasComma = node.children.some((child) => child?.type === ',');
  if (only !== undefined && items.length === 1 && !hasComma) {
    return { kind: 'parenthesised', text: node.text, inner: readType(only) };
  }
  return { kind: 'tuple', text: node.text, items: items.map(readType) };
}

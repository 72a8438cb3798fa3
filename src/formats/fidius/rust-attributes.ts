import { namedChildren, type RustNode } from './rust-grammar.ts';

/** One `#[path(arguments)]` or `#[path = value]`. */
export interface RustAttribute {
  /** Last segment of its path. */
  readonly name: string;
  /** Text between the parentheses, or undefined. */
  readonly arguments?: string;
  /** Text after `=`, or undefined. */
  readonly value?: string;
}

/** What stands before an item. */
export interface ItemPrelude {
  readonly attributes: readonly RustAttribute[];
  /** Documentation, line by line, each trimmed. */
  readonly docs: readonly string[];
}

/** An item together with the attributes and comments before it. */
export interface PreludedNode extends ItemPrelude {
  readonly node: RustNode;
}

/** The items of a list, each with what stands before it. */
export function itemsWithPrelude(list: RustNode): PreludedNode[] {
  const found: PreludedNode[] = [];
  let attributes: RustAttribute[] = [];
  let docs: string[] = [];
  for (const node of namedChildren(list)) {
    if (node.type === 'attribute_item') {
      const attribute = readAttribute(node);
      attributes.push(attribute);
      if (attribute.name === 'doc' && attribute.value !== undefined) docs.push(...docLines(unquote(attribute.value)));
    } else if (node.type === 'line_comment' || node.type === 'block_comment') {
      const doc = node.childForFieldName('outer') === null ? null : node.childForFieldName('doc');
      if (doc !== null) docs.push(...docLines(doc.text));
      else if (node.childForFieldName('outer') !== null) docs.push('');
    } else {
      found.push({ node, attributes, docs });
      attributes = [];
      docs = [];
    }
  }
  return found;
}

/** The first attribute of a name. */
export function attributeNamed(prelude: ItemPrelude, name: string): RustAttribute | undefined {
  return prelude.attributes.find((attribute) => attribute.name === name);
}

/** The text of a Rust string literal. */
export function unquote(literal: string): string {
  const raw = /^r(#*)"([\s\S]*)"\1$/.exec(literal);
  if (raw !== null) return raw[2] ?? '';
  const inner = /^"([\s\S]*)"$/.exec(literal)?.[1] ?? literal;
  return inner.replace(/\\(n|t|"|\\|')/g, (_, code: string) => (code === 'n' ? '\n' : code === 't' ? '\t' : code));
}

function readAttribute(item: RustNode): RustAttribute {
  const attribute = namedChildren(item)[0];
  const path = attribute && namedChildren(attribute)[0];
  const name = path?.childForFieldName('name')?.text ?? path?.text ?? '';
  const list = attribute?.childForFieldName('arguments')?.text;
  const value = attribute?.childForFieldName('value')?.text;
  return {
    name,
    ...(list === undefined ? {} : { arguments: list.slice(1, -1) }),
    ...(value === undefined ? {} : { value }),
  };
}

/** Lines of a doc comment; the stars that decorate block comments are no part of it. */
function docLines(text: string): string[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (lines.length === 1) return [text.trim()];
  const bare = lines.map((line) => line.trim().replace(/^\*\s?/, ''));
  while (bare.length > 1 && bare.at(-1) === '') bare.pop();
  return bare;
}

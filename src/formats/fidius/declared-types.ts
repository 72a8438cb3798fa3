import { itemsWithPrelude, unquote, type ItemPrelude, type PreludedNode } from './rust-attributes.ts';
import { namedChildren, type RustNode } from './rust-grammar.ts';
import { readType } from './rust-type-reader.ts';
import type { RustType } from './rust-type.ts';

/** A field with a name, as serde sees it. */
export interface DeclaredField {
  /** After `#[serde(rename)]` and `#[serde(rename_all)]`. */
  readonly name: string;
  readonly type: RustType;
  /** Whether its key may be absent: `#[serde(default)]`, or an `Option`. */
  readonly isOptional: boolean;
}

/** What a struct or a variant holds. */
export type DeclaredBody =
  | { readonly kind: 'unit' }
  | { readonly kind: 'tuple'; readonly items: readonly RustType[] }
  | { readonly kind: 'fields'; readonly fields: readonly DeclaredField[] };

/** One variant of an enum. */
export interface DeclaredVariant {
  readonly name: string;
  readonly body: DeclaredBody;
}

/** How serde writes an enum. */
export type EnumTagging =
  | { readonly kind: 'external' }
  | { readonly kind: 'internal'; readonly tag: string }
  | { readonly kind: 'adjacent'; readonly tag: string; readonly content: string }
  | { readonly kind: 'untagged' };

/** A type that the interface file declares at its top level. */
export type DeclaredType = { readonly name: string; readonly docs: readonly string[] } & (
  | { readonly kind: 'struct'; readonly body: DeclaredBody; readonly refusesUnknownFields: boolean }
  | { readonly kind: 'enum'; readonly variants: readonly DeclaredVariant[]; readonly tagging: EnumTagging }
  | { readonly kind: 'alias'; readonly type: RustType }
);

/** Reads the structs, enums and aliases among top-level items. */
export function readDeclaredTypes(items: readonly PreludedNode[]): DeclaredType[] {
  return items.flatMap((item): DeclaredType[] => {
    const name = item.node.childForFieldName('name')?.text;
    if (name === undefined) return [];
    const common = { name, docs: item.docs };
    const body = item.node.childForFieldName('body');
    if (item.node.type === 'struct_item') {
      const refusesUnknownFields = serdeFlag(item, 'deny_unknown_fields');
      return [{ ...common, kind: 'struct', body: readBody(body, item), refusesUnknownFields }];
    }
    if (item.node.type === 'enum_item' && body !== null) {
      return [{ ...common, kind: 'enum', variants: readVariants(body, item), tagging: taggingOf(item) }];
    }
    const aliased = item.node.type === 'type_item' ? item.node.childForFieldName('type') : null;
    return aliased === null ? [] : [{ ...common, kind: 'alias', type: readType(aliased) }];
  });
}

function readVariants(list: RustNode, owner: ItemPrelude): DeclaredVariant[] {
  const rule = serdeValue(owner, 'rename_all');
  return itemsWithPrelude(list)
    .filter((item) => item.node.type === 'enum_variant')
    .map((item) => ({
      name: serdeValue(item, 'rename') ?? renamed(item.node.childForFieldName('name')?.text ?? '', rule, 'variant'),
      body: readBody(item.node.childForFieldName('body'), item),
    }));
}

function readBody(body: RustNode | null, owner: ItemPrelude): DeclaredBody {
  if (body === null) return { kind: 'unit' };
  if (body.type === 'ordered_field_declaration_list') {
    const skipped = new Set(['visibility_modifier', 'attribute_item', 'line_comment', 'block_comment']);
    return {
      kind: 'tuple',
      items: namedChildren(body)
        .filter((child) => !skipped.has(child.type))
        .map(readType),
    };
  }
  const rule = serdeValue(owner, 'rename_all');
  const fields = itemsWithPrelude(body).filter((item) => item.node.type === 'field_declaration');
  return { kind: 'fields', fields: fields.flatMap((item) => readField(item, rule)) };
}

function readField(item: PreludedNode, rule: string | undefined): DeclaredField[] {
  const type = item.node.childForFieldName('type');
  const name = item.node.childForFieldName('name')?.text.replace(/^r#/, '');
  if (type === null || name === undefined || serdeFlag(item, 'skip')) return [];
  const read = readType(type);
  const isOption = read.kind === 'path' && read.name === 'Option';
  return [
    {
      name: serdeValue(item, 'rename') ?? renamed(name, rule, 'field'),
      type: read,
      isOptional: isOption || serdeFlag(item, 'default'),
    },
  ];
}

function taggingOf(item: ItemPrelude): EnumTagging {
  if (serdeFlag(item, 'untagged')) return { kind: 'untagged' };
  const tag = serdeValue(item, 'tag');
  const content = serdeValue(item, 'content');
  if (tag === undefined) return { kind: 'external' };
  return content === undefined ? { kind: 'internal', tag } : { kind: 'adjacent', tag, content };
}

function serdeText(item: ItemPrelude): string {
  const serde = item.attributes.filter((attribute) => attribute.name === 'serde');
  return serde.map((attribute) => attribute.arguments ?? '').join(',');
}

function serdeFlag(item: ItemPrelude, word: string): boolean {
  return new RegExp(`(?:^|[,\\s])${word}(?=$|[,\\s=])`).test(serdeText(item));
}

function serdeValue(item: ItemPrelude, key: string): string | undefined {
  const literal = new RegExp(`(?:^|[,\\s])${key}\\s*=\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(serdeText(item))?.[1];
  return literal === undefined ? undefined : unquote(literal);
}

/** Serde's renaming rules; fields are written in snake case and variants in Pascal case. */
function renamed(name: string, rule: string | undefined, of: 'field' | 'variant'): string {
  const words = of === 'field' ? name.split('_').filter(Boolean) : name.split(/(?=[A-Z])/);
  const lower = words.map((word) => word.toLowerCase());
  const pascal = lower.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  switch (rule) {
    case 'lowercase':
      return name.toLowerCase();
    case 'UPPERCASE':
      return name.toUpperCase();
    case 'PascalCase':
      return pascal;
    case 'camelCase':
      return pascal.charAt(0).toLowerCase() + pascal.slice(1);
    case 'snake_case':
      return lower.join('_');
    case 'SCREAMING_SNAKE_CASE':
      return lower.join('_').toUpperCase();
    case 'kebab-case':
      return lower.join('-');
    case 'SCREAMING-KEBAB-CASE':
      return lower.join('-').toUpperCase();
    default:
      return name;
  }
}

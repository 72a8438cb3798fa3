import type { DeclaredBody, DeclaredType } from './declared-types.ts';
import type { JsonObject, JsonValue } from '../../plugin-spec.ts';
import type { TypeDescriptor } from './descriptor.ts';
import { describeType, type DeclaredTypes } from './type-descriptor.ts';

const WORDS: Readonly<Record<string, string>> = {
  ...words('i8 i16 i32 u8 u16 u32 f32 f64', 'number'),
  ...words('i64 i128 isize u64 u128 usize', 'number | bigint'),
  ...words('string char', 'string'),
  bool: 'boolean',
  bytes: 'Uint8Array',
  unit: 'null',
  any: 'unknown',
};

/** The TypeScript type of values of a described Rust type. */
export function typescriptType(type: TypeDescriptor): string {
  if (typeof type === 'string') return Object.hasOwn(WORDS, type) ? (WORDS[type] ?? 'unknown') : 'unknown';
  const [entry] = isObject(type) ? Object.entries(type) : [];
  if (entry === undefined) return 'unknown';
  const [shape, inner] = entry;
  const items = Array.isArray(inner) ? (inner as readonly JsonValue[]) : [];
  const [one = 'any', two = 'any'] = items;
  switch (shape) {
    case 'option':
      return `${typescriptType(inner)} | null`;
    case 'vec':
    case 'set':
      return `readonly ${grouped(typescriptType(inner))}[]`;
    case 'array':
      return `readonly ${grouped(typescriptType(one))}[]`;
    case 'tuple':
      return `readonly [${items.map(typescriptType).join(', ')}]`;
    case 'map':
      return `Readonly<Record<string, ${typescriptType(two)}>>`;
    case 'result':
      return `{ readonly Ok: ${typescriptType(one)} } | { readonly Err: ${typescriptType(two)} }`;
    case 'stream':
      return `AsyncIterable<${typescriptType(inner)}>`;
    case 'named':
      return String(inner);
    default:
      return 'unknown';
  }
}

/** The declaration of an own type. */
export function typescriptDeclaration(type: DeclaredType, declared: DeclaredTypes): string {
  const docs = type.docs.length === 0 ? '' : `/** ${type.docs.join(' ').replaceAll('*/', '* /').trim()} */\n`;
  if (type.kind === 'struct' && type.body.kind === 'fields') {
    return `${docs}export interface ${type.name} ${fieldsOf(type.body, declared, '\n')}\n`;
  }
  return `${docs}export type ${type.name} = ${aliasOf(type, declared)};\n`;
}

/** A property name, quoted where it must be. */
export function propertyName(name: string): string {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name);
}

function aliasOf(type: DeclaredType, declared: DeclaredTypes): string {
  if (type.kind === 'alias') return typescriptType(describeType(type.type, declared));
  if (type.kind === 'struct') return bodyOf(type.body, declared);
  const { tagging } = type;
  const variants = type.variants.map(({ name, body }) => {
    const text = JSON.stringify(name);
    if (tagging.kind === 'untagged') return grouped(bodyOf(body, declared));
    if (tagging.kind === 'external') {
      return body.kind === 'unit' ? text : `{ readonly ${propertyName(name)}: ${bodyOf(body, declared)} }`;
    }
    const tag = `readonly ${propertyName(tagging.tag)}: ${text}`;
    if (body.kind === 'unit') return `{ ${tag} }`;
    return tagging.kind === 'adjacent'
      ? `{ ${tag}; readonly ${propertyName(tagging.content)}: ${bodyOf(body, declared)} }`
      : `{ ${tag} } & ${grouped(bodyOf(body, declared))}`;
  });
  return variants.length === 0 ? 'never' : variants.join(' | ');
}

function bodyOf(body: DeclaredBody, declared: DeclaredTypes): string {
  if (body.kind === 'unit') return 'null';
  if (body.kind === 'fields') return fieldsOf(body, declared, ' ');
  const items = body.items.map((item) => typescriptType(describeType(item, declared)));
  const [only] = items;
  return only !== undefined && items.length === 1 ? only : `readonly [${items.join(', ')}]`;
}

function fieldsOf(body: DeclaredBody & { kind: 'fields' }, declared: DeclaredTypes, separator: string): string {
  const indent = separator === '\n' ? '  ' : '';
  const fields = body.fields.map(({ name, type, isOptional }) => {
    const mark = isOptional ? '?' : '';
    return `${indent}readonly ${propertyName(name)}${mark}: ${typescriptType(describeType(type, declared))};`;
  });
  return `{${separator}${fields.join(separator)}${separator}}`;
}

function grouped(type: string): string {
  return /[|& ]/.test(type) ? `(${type})` : type;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function words(names: string, type: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, type]));
}

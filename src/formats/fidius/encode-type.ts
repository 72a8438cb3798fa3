import type { JsonObject, JsonValue } from '../../plugin-spec.ts';
import type { NamedTypeDescriptor, TypeDescriptor } from './descriptor.ts';

type Types = Readonly<Record<string, NamedTypeDescriptor>>;

/** Turns a caller's value into what the original host would have sent. */
export type Encoder = (value: unknown) => unknown;

/**
 * The encoder of a type, or undefined where values are sent as they are (F26).
 *
 * A unit variant is a name to callers and `{ Name: null }` to plugins, as from the original host. JavaScript's maps and
 * sets become dicts and lists. Everything else is what JSON makes of it.
 */
export function encoderOf(type: TypeDescriptor, types: Types, above: readonly string[] = []): Encoder | undefined {
  if (typeof type !== 'object' || type === null || Array.isArray(type)) return undefined;
  const [entry] = Object.entries(type);
  if (entry === undefined) return undefined;
  const [shape, inner] = entry;
  const items = listOf(inner);
  switch (shape) {
    case 'option':
      return nullable(encoderOf(inner, types, above));
    case 'vec':
      return overItems(encoderOf(inner, types, above));
    case 'set':
      return (value) => (overItems(encoderOf(inner, types, above)) ?? same)(value instanceof Set ? [...value] : value);
    case 'array':
      return overItems(encoderOf(items[0] ?? 'any', types, above));
    case 'tuple':
      return overPositions(items.map((item) => encoderOf(item, types, above)));
    case 'map':
      return overMap(encoderOf(items[1] ?? 'any', types, above));
    case 'stream':
      return overStream(encoderOf(inner, types, above));
    case 'named':
      return namedEncoder(String(inner), types, above);
    default:
      return undefined;
  }
}

function namedEncoder(name: string, types: Types, above: readonly string[]): Encoder | undefined {
  const declared = types[name];
  if (!isObject(declared)) return undefined;
  // A type that contains itself gets its encoder when a value goes that deep.
  if (above.includes(name)) return (value) => (namedEncoder(name, types, []) ?? same)(value);
  const inner = [...above, name];
  if (!('enum' in declared)) return bodyEncoder(declared, types, inner);
  if ('tag' in declared || declared['untagged'] === true) return undefined;
  const variants = new Map(
    Object.entries(objectOf(declared['enum'])).map(([variant, body]) => [
      variant,
      isObject(body) ? bodyEncoder(body, types, inner) : undefined,
    ]),
  );
  return (value) => {
    if (typeof value === 'string' && variants.has(value)) return { [value]: null };
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([variant, content]) => [variant, (variants.get(variant) ?? same)(content)]),
    );
  };
}

function bodyEncoder(body: JsonObject, types: Types, above: readonly string[]): Encoder | undefined {
  if ('newtype' in body) return encoderOf(body['newtype'] ?? 'any', types, above);
  if ('tuple' in body) return overPositions(listOf(body['tuple']).map((item) => encoderOf(item, types, above)));
  const fields = Object.entries(objectOf(body['struct'])).map(([name, type]): [string, Encoder | undefined] => [
    name,
    encoderOf(type, types, above),
  ]);
  const known = new Map(fields);
  if (fields.every(([, encoder]) => encoder === undefined)) return undefined;
  return (value) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, (known.get(name) ?? same)(item)]))
      : value;
}

function nullable(encoder: Encoder | undefined): Encoder | undefined {
  return encoder && ((value) => (value === null || value === undefined ? value : encoder(value)));
}

function overItems(encoder: Encoder | undefined): Encoder | undefined {
  return encoder && ((value) => (Array.isArray(value) ? value.map(encoder) : value));
}

function overPositions(encoders: readonly (Encoder | undefined)[]): Encoder | undefined {
  if (encoders.every((encoder) => encoder === undefined)) return undefined;
  return (value) => (Array.isArray(value) ? value.map((item, index) => (encoders[index] ?? same)(item)) : value);
}

function overMap(encoder: Encoder | undefined): Encoder {
  return (value) => {
    const entries = value instanceof Map ? [...value].map(([key, item]) => [String(key), item] as const) : undefined;
    if (entries === undefined && (encoder === undefined || !isRecord(value))) return value;
    const pairs = entries ?? Object.entries(value as Record<string, unknown>);
    return Object.fromEntries(pairs.map(([key, item]) => [key, (encoder ?? same)(item)]));
  };
}

function overStream(encoder: Encoder | undefined): Encoder | undefined {
  return encoder && ((value) => (isIterable(value) ? encoded(value, encoder) : value));
}

async function* encoded(items: AsyncIterable<unknown> | Iterable<unknown>, encoder: Encoder): AsyncGenerator {
  for await (const item of items) yield encoder(item);
}

function same(value: unknown): unknown {
  return value;
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

import { CallError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../plugin-spec.ts';
import {
  at,
  bytes,
  fail,
  float,
  integer,
  INTEGERS,
  list,
  unit,
  type DecodeContext,
  type Place,
} from './decode-scalars.ts';
import type { NamedTypeDescriptor, TypeDescriptor } from './descriptor.ts';

/**
 * Reads a value that Python returned as a Rust type, for typed clients (F27, FW18).
 *
 * What the original decodes decodes to the same value. More is accepted, and never changed: `None` for an option,
 * dicts for enums and maps with integer keys, values that are not finite.
 *
 * @throws CallError `RESULT_INVALID` naming the place and the expected type
 */
export function decodeType(type: TypeDescriptor, value: unknown, context: DecodeContext): unknown {
  const { shape, inner } = parts(type);
  // A method that returns a Result returns its value, and raises its error.
  if (shape === 'result') return decode(first(inner), value, { ...context, path: 'result' });
  return decode(shape === 'stream' ? inner : type, value, { ...context, path: 'result' });
}

function decode(type: TypeDescriptor, value: unknown, place: Place): unknown {
  const { shape, inner } = parts(type);
  if (INTEGERS.has(shape)) return integer(shape, value, place);
  switch (shape) {
    case 'any':
      return value;
    case 'unit':
      return unit(value, place);
    case 'bool':
      return typeof value === 'boolean' ? value : fail(place, 'a boolean', value);
    case 'string':
      return typeof value === 'string' ? value : fail(place, 'a string', value);
    case 'char':
      return typeof value === 'string' && Array.from(value).length === 1 ? value : fail(place, 'one character', value);
    case 'f32':
    case 'f64':
      return float(value, place);
    case 'bytes':
      return bytes(value, place);
    case 'option':
      return value === null || value === undefined ? null : decode(inner, value, place);
    case 'vec':
    case 'set':
      return list(value, place).map((item, index) => decode(inner, item, at(place, `[${index}]`)));
    case 'array':
      return fixed(inner, value, place);
    case 'tuple':
      return positions(listOf(inner), list(value, place), place);
    case 'map':
      return map(inner, value, place);
    case 'result':
      return decodeEnum({ enum: { Ok: { newtype: first(inner) }, Err: { newtype: second(inner) } } }, value, place);
    case 'stream':
      return fail(place, 'no stream inside a value', value);
    case 'named':
      return named(place.types[String(inner)], value, place);
    default:
      return value;
  }
}

function named(declared: NamedTypeDescriptor | undefined, value: unknown, place: Place): unknown {
  if (!isObject(declared)) return value;
  return 'enum' in declared ? decodeEnum(declared, value, place) : body(declared, value, place);
}

function body(declared: JsonObject, value: unknown, place: Place): unknown {
  if ('newtype' in declared) return decode(declared['newtype'] ?? 'any', value, place);
  if ('tuple' in declared) return positions(listOf(declared['tuple']), list(value, place), place);
  if ('struct' in declared) return struct(declared, value, place);
  return unit(value, place);
}

/** A dict by names, or, as the original does, a list by position. Keys that the type lacks are left out. */
function struct(declared: JsonObject, value: unknown, place: Place): unknown {
  const fields = Object.entries(objectOf(declared['struct']));
  const values = Array.isArray(value) || value instanceof Uint8Array ? byPosition(fields, list(value, place)) : value;
  if (!isRecord(values)) return fail(place, 'a dict', value);
  const optional = new Set(listOf(declared['optional']));
  if (declared['closed'] === true) {
    const unknown = Object.keys(values).find((key) => !fields.some(([name]) => name === key));
    if (unknown !== undefined) return fail(place, `no field '${unknown}'`, value);
  }
  const decoded = fields.map(([name, type]): [string, unknown] => {
    if (Object.hasOwn(values, name)) return [name, decode(type, values[name], at(place, `.${name}`))];
    return optional.has(name) ? [name, defaultOf(type)] : fail(at(place, `.${name}`), 'a value', undefined);
  });
  return Object.fromEntries(decoded);
}

function byPosition(fields: readonly [string, JsonValue][], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(fields.slice(0, values.length).map(([name], index) => [name, values[index]]));
}

/** What a field with a default has when its key is absent. Defaults of own types are the plugin's secret. */
function defaultOf(type: TypeDescriptor): unknown {
  const { shape } = parts(type);
  if (INTEGERS.has(shape) || shape === 'f32' || shape === 'f64') return 0;
  if (shape === 'bool') return false;
  if (shape === 'string') return '';
  if (shape === 'bytes') return new Uint8Array();
  if (shape === 'vec' || shape === 'set') return [];
  if (shape === 'map') return {};
  return shape === 'option' || shape === 'unit' ? null : undefined;
}

function decodeEnum(declared: JsonObject, value: unknown, place: Place): unknown {
  const variants = objectOf(declared['enum']);
  if (declared['untagged'] === true) return untagged(Object.values(variants), value, place);
  const tag = declared['tag'];
  if (typeof tag === 'string') return tagged(variants, { tag, content: declared['content'] }, { value, place });
  if (typeof value === 'string' && Object.hasOwn(variants, value)) {
    return isUnit(variants[value]) ? value : fail(place, `the content of variant '${value}'`, value);
  }
  const [entry, ...rest] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined || rest.length > 0) return fail(place, `one of ${Object.keys(variants).join(', ')}`, value);
  const [name, content] = entry;
  const variant = Object.hasOwn(variants, name) ? variants[name] : undefined;
  if (!isObject(variant)) return fail(place, `one of ${Object.keys(variants).join(', ')}`, value);
  if (isUnit(variant)) return content === null ? name : fail(at(place, `.${name}`), 'None', content);
  return { [name]: body(variant, content, at(place, `.${name}`)) };
}

function tagged(
  variants: JsonObject,
  { tag, content }: { tag: string; content: JsonValue | undefined },
  { value, place }: { value: unknown; place: Place },
): unknown {
  const names = Object.keys(variants);
  if (Array.isArray(value) || value instanceof Uint8Array) {
    const [index, ...rest] = list(value, place);
    const name = typeof index === 'number' ? names[index] : index;
    if (rest.length !== fieldCount(variants, name)) return fail(place, 'one element for each field', value);
    return tagged(variants, { tag, content }, { value: { [tag]: name, ...spread(variants, name, rest) }, place });
  }
  const name = isRecord(value) ? value[tag] : undefined;
  const variant = typeof name === 'string' && Object.hasOwn(variants, name) ? variants[name] : undefined;
  if (!isRecord(value) || !isObject(variant)) return fail(at(place, `.${tag}`), `one of ${names.join(', ')}`, name);
  if (isUnit(variant)) return { [tag]: name };
  if (typeof content === 'string')
    return { [tag]: name, [content]: body(variant, value[content], at(place, `.${content}`)) };
  const { [tag]: _, ...rest } = value;
  const decoded = body(variant, rest, place);
  return { [tag]: name, ...(isRecord(decoded) ? decoded : {}) };
}

function fieldCount(variants: JsonObject, name: unknown): number {
  const variant = typeof name === 'string' ? variants[name] : undefined;
  return Object.keys(objectOf(isObject(variant) ? variant['struct'] : undefined)).length;
}

function spread(variants: JsonObject, name: unknown, values: readonly unknown[]): Record<string, unknown> {
  const variant = typeof name === 'string' ? variants[name] : undefined;
  return isObject(variant) && 'struct' in variant
    ? byPosition(Object.entries(objectOf(variant['struct'])), values)
    : {};
}

function untagged(variants: readonly JsonValue[], value: unknown, place: Place): unknown {
  for (const variant of variants) {
    try {
      return body(objectOf(variant), value, place);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }
  return fail(place, 'a value of one of the variants', value);
}

function positions(types: readonly JsonValue[], values: readonly unknown[], place: Place): unknown[] {
  if (values.length < types.length) return fail(place, `${types.length} elements`, values);
  return types.map((type, index) => decode(type, values[index], at(place, `[${index}]`)));
}

function fixed(inner: JsonValue, value: unknown, place: Place): unknown[] {
  const items = list(value, place);
  const length = second(inner);
  const count = typeof length === 'number' ? length : items.length;
  return positions(
    Array.from({ length: count }, () => first(inner)),
    items,
    place,
  );
}

function map(inner: JsonValue, value: unknown, place: Place): Record<string, unknown> {
  const pairs: readonly (readonly [unknown, unknown])[] = isRecord(value)
    ? Object.entries(value)
    : list(value, place).map((pair, index) => pairOf(pair, at(place, `[${index}]`)));
  return Object.fromEntries(
    pairs.map(([key, item]) => [
      mapKey(first(inner), key, place),
      decode(second(inner), item, at(place, `.${String(key)}`)),
    ]),
  );
}

function pairOf(value: unknown, place: Place): readonly [unknown, unknown] {
  const items = list(value, place);
  return items.length === 2 ? [items[0], items[1]] : fail(place, 'a key and a value', value);
}

/** Keys are text in JSON: a key type that is none of text must be able to read it. */
function mapKey(type: JsonValue, key: unknown, place: Place): string {
  const { shape } = parts(type);
  const isNumeral = typeof key === 'string' && /^-?\d+$/.test(key);
  if (INTEGERS.has(shape)) integer(shape, isNumeral ? BigInt(key) : key, at(place, `.${String(key)}`));
  else if (shape === 'string' && typeof key !== 'string') fail(place, 'keys that are text', key);
  return String(key);
}

function parts(type: TypeDescriptor): { shape: string; inner: JsonValue } {
  if (typeof type === 'string') return { shape: type, inner: null };
  const [entry] = isObject(type) ? Object.entries(type) : [];
  return entry === undefined ? { shape: 'any', inner: null } : { shape: entry[0], inner: entry[1] };
}

function isUnit(variant: JsonValue | undefined): boolean {
  return isObject(variant) && variant['unit'] === true;
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

function first(value: JsonValue): JsonValue {
  return listOf(value)[0] ?? 'any';
}

function second(value: JsonValue): JsonValue {
  return listOf(value)[1] ?? 'any';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

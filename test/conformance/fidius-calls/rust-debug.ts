import type { JsonObject, JsonValue } from '../../../src/plugin-spec.ts';
import { decodeType } from '../../../src/formats/fidius/decode-type.ts';
import type { NamedTypeDescriptor, TypeDescriptor } from '../../../src/formats/fidius/descriptor.ts';

type Types = Readonly<Record<string, NamedTypeDescriptor>>;

/** A decoded value as Rust's `{:?}` prints it, so that it can be compared with what a Rust host received. */
export function rustDebug(type: TypeDescriptor, value: unknown, types: Types): string {
  if (typeof type === 'string') return scalar(type, value);
  const [entry] = Object.entries(type as JsonObject);
  const [shape, inner] = entry ?? ['any', null];
  const items = Array.isArray(inner) ? (inner as JsonValue[]) : [];
  const show = (part: TypeDescriptor, item: unknown): string => rustDebug(part, item, types);
  const list = value as unknown[];
  switch (shape) {
    case 'option':
      return value === null && inner !== 'unit' ? 'None' : `Some(${show(inner, value)})`;
    case 'vec':
      return `[${list.map((item) => show(inner, item)).join(', ')}]`;
    case 'array':
      return `[${list.map((item) => show(items[0]!, item)).join(', ')}]`;
    case 'set':
      return `{${sorted(list)
        .map((item) => show(inner, item))
        .join(', ')}}`;
    case 'tuple':
      return `(${list.map((item, index) => show(items[index]!, item)).join(', ')}${list.length === 1 ? ',' : ''})`;
    case 'map': {
      const entries = Object.entries(value as Record<string, unknown>);
      const isText = items[0] === 'string';
      entries.sort(([left], [right]) =>
        isText ? Buffer.compare(Buffer.from(left), Buffer.from(right)) : Number(left) - Number(right),
      );
      return `{${entries.map(([key, item]) => `${isText ? text(key) : key}: ${show(items[1]!, item)}`).join(', ')}}`;
    }
    case 'result':
      // The outer Result of a method is its value; no other one occurs.
      return show(items[0]!, value);
    case 'named':
      return named(String(inner), types[String(inner)] as JsonObject, { value, types });
    default:
      throw new TypeError(`No debug form of '${shape}'`);
  }
}

function named(name: string, declared: JsonObject, { value, types }: { value: unknown; types: Types }): string {
  if (!('enum' in declared)) return body(name, declared, { value, types });
  const variants = declared['enum'] as JsonObject;
  if (declared['untagged'] === true) {
    const [variant, content] = Object.entries(variants).find(([, each]) => decodes(each as JsonObject, value, types))!;
    return body(variant, content as JsonObject, { value, types });
  }
  const tag = declared['tag'];
  if (typeof tag === 'string') {
    const { [tag]: variant, ...rest } = value as Record<string, unknown>;
    return body(String(variant), variants[String(variant)] as JsonObject, { value: rest, types });
  }
  if (typeof value === 'string') return value;
  const [variant, content] = Object.entries(value as Record<string, unknown>)[0]!;
  return body(variant, variants[variant] as JsonObject, { value: content, types });
}

function decodes(variant: JsonObject, value: unknown, types: Types): boolean {
  try {
    decodeType(variant['newtype'] ?? 'unit', value, { operation: '', types });
    return true;
  } catch {
    return false;
  }
}

function body(name: string, declared: JsonObject, { value, types }: { value: unknown; types: Types }): string {
  if ('newtype' in declared) return `${name}(${rustDebug(declared['newtype'], value, types)})`;
  if ('tuple' in declared) {
    const kinds = declared['tuple'] as JsonValue[];
    return `${name}(${(value as unknown[]).map((item, index) => rustDebug(kinds[index]!, item, types)).join(', ')})`;
  }
  if (!('struct' in declared)) return name;
  const record = value as Record<string, unknown>;
  const fields = Object.entries(declared['struct'] as JsonObject);
  return `${name} { ${fields.map(([key, kind]) => `${key}: ${rustDebug(kind, record[key], types)}`).join(', ')} }`;
}

function scalar(type: string, value: unknown): string {
  switch (type) {
    case 'unit':
      return '()';
    case 'string':
      return text(String(value));
    case 'char':
      return `'${String(value)}'`;
    case 'bytes':
      return `[${[...(value as Uint8Array)].join(', ')}]`;
    case 'f32':
      return float(Number(shortest32(Number(value))));
    case 'f64':
      return float(Number(value));
    default:
      return String(value);
  }
}

/** The fewest digits that read back as the same 32-bit float. */
function shortest32(value: number): string {
  if (Object.is(value, -0)) return '-0';
  for (let digits = 1; digits <= 9; digits += 1) {
    const shown = value.toPrecision(digits);
    if (Math.fround(Number(shown)) === Math.fround(value)) return shown;
  }
  return String(value);
}

/** Decimal notation from 1e-4 up to 1e16, always with a point; the rest with an exponent. */
function float(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace('e+', 'e');
  const shown = Object.is(value, -0) ? '-0' : String(value);
  return shown.includes('.') ? shown : `${shown}.0`;
}

function text(value: string): string {
  const escaped = value.replace(/["\\\n\r\t\0]/g, (letter) => {
    return { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' }[letter] ?? letter;
  });
  return `"${escaped}"`;
}

function sorted(values: readonly unknown[]): unknown[] {
  return [...new Set(values)].sort((left, right) => Number(left) - Number(right));
}

import type { JsonObject, JsonValue } from '../../plugin-spec.ts';
import type { DeclaredBody, DeclaredType } from './declared-types.ts';
import type { InterfaceDescriptor, MethodDescriptor, NamedTypeDescriptor, TypeDescriptor } from './descriptor.ts';
import { hashInterface } from './interface-hash.ts';
import type { InterfaceSource, RustInterface, RustMethod } from './interface-source.ts';
import { reachableTypes } from './reachable-types.ts';
import { isByteVector, isExactly, streamItem, type RustType } from './rust-type.ts';

/** The descriptor of an interface: what a host checks a package against and how it reads its values. */
export function describeInterface(source: InterfaceSource, trait: RustInterface): InterfaceDescriptor {
  const { a, b } = hashInterface(trait);
  const declared = new Map(source.types.map((type) => [type.name, type]));
  const named = reachableTypes(source, trait).filter((type) => type.kind !== 'alias');
  const types = Object.fromEntries(named.map((type) => [type.name, describeNamed(type, declared)]));
  return {
    name: trait.name,
    ...versionOf(trait),
    hash: a.hash,
    canonical: a.canonical,
    ...(a.hash === b.hash ? {} : { hashB: b.hash, canonicalB: b.canonical }),
    methods: trait.methods.map((method) => describeMethod(method, declared)),
    ...(named.length === 0 ? {} : { types }),
  };
}

function versionOf({ marker }: RustInterface): { version?: number } {
  const version = /(?:^|,)\s*version\s*=\s*(\d+)/.exec(marker.arguments ?? '')?.[1];
  return version === undefined ? {} : { version: Number(version) };
}

/** The own types of a file by name. */
export type DeclaredTypes = ReadonlyMap<string, DeclaredType>;

const SCALARS: ReadonlySet<string> = new Set(
  'i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char'.split(' '),
);
const WRAPPERS: ReadonlySet<string> = new Set(['Box', 'Arc', 'Rc', 'Cow', 'Cell', 'RefCell', 'Mutex', 'RwLock']);
const LISTS: ReadonlySet<string> = new Set(['Vec', 'VecDeque', 'LinkedList', 'BinaryHeap']);
const SETS: ReadonlySet<string> = new Set(['HashSet', 'BTreeSet', 'IndexSet']);
const MAPS: ReadonlySet<string> = new Set(['HashMap', 'BTreeMap', 'IndexMap']);

/** A Rust type as data; aliases are followed, what the file does not explain is `any`. */
export function describeType(type: RustType, declared: DeclaredTypes, above: readonly string[] = []): TypeDescriptor {
  const inner = (part: RustType): TypeDescriptor => describeType(part, declared, above);
  switch (type.kind) {
    case 'reference':
      return isExactly(type.inner, 'str') ? 'string' : inner(type.inner);
    case 'slice':
      return isExactly(type.item, 'u8') ? 'bytes' : { vec: inner(type.item) };
    case 'array':
      return { array: [inner(type.item), /^\d+$/.test(type.length) ? Number(type.length) : null] };
    case 'tuple':
      return type.items.length === 0 ? 'unit' : { tuple: type.items.map(inner) };
    case 'parenthesised':
      return inner(type.inner);
    case 'other':
      return 'any';
    case 'path':
      return describePath(type, declared, above);
  }
}

function describePath(
  type: RustType & { kind: 'path' },
  declared: DeclaredTypes,
  above: readonly string[],
): TypeDescriptor {
  const own = declared.get(type.name);
  if (own !== undefined && type.args.length === 0) {
    if (own.kind !== 'alias') return { named: type.name };
    return above.includes(own.name) ? 'any' : describeType(own.type, declared, [...above, own.name]);
  }
  if (SCALARS.has(type.name)) return type.name;
  if (type.name === 'String' || type.name === 'str') return 'string';
  if (isByteVector(type)) return 'bytes';
  const [first, second] = type.args.map((part) => describeType(part, declared, above));
  if (first === undefined) return 'any';
  if (streamItem(type) !== undefined) return { stream: first };
  if (type.name === 'Option') return { option: first };
  if (type.name === 'Result' && second !== undefined) return { result: [first, second] };
  if (LISTS.has(type.name)) return { vec: first };
  if (SETS.has(type.name)) return { set: first };
  if (MAPS.has(type.name) && second !== undefined) return { map: [first, second] };
  return WRAPPERS.has(type.name) ? first : 'any';
}

function describeMethod(method: RustMethod, declared: DeclaredTypes): MethodDescriptor {
  const isFed = method.args.some(({ type }) => streamItem(type) !== undefined);
  const isStreaming = streamItem(method.returns) !== undefined;
  const kind = isFed ? (isStreaming ? 'bidi' : 'client-stream') : isStreaming ? 'server-stream' : 'unary';
  return {
    name: method.name,
    wireRaw: method.isRaw,
    kind,
    ...(method.isOptional ? { optional: true } : {}),
    args: method.args.map(({ name, type }) => ({
      name: name.replace(/^r#/, ''),
      type: describeType(type, declared),
    })),
    returns: method.returns === undefined ? 'unit' : describeType(method.returns, declared),
  };
}

/** An own struct or enum as data. */
export function describeNamed(type: DeclaredType, declared: DeclaredTypes): NamedTypeDescriptor {
  if (type.kind === 'alias') return { newtype: describeType(type.type, declared) };
  if (type.kind === 'struct') {
    const body = describeBody(type.body, declared);
    return type.refusesUnknownFields ? { ...body, closed: true } : body;
  }
  const variants = type.variants.map(({ name, body }): [string, JsonValue] => [name, describeBody(body, declared)]);
  const { kind, ...tagging } = type.tagging;
  return { enum: Object.fromEntries(variants), ...tagging, ...(kind === 'untagged' ? { untagged: true } : {}) };
}

function describeBody(body: DeclaredBody, declared: DeclaredTypes): JsonObject {
  if (body.kind === 'unit') return { unit: true };
  if (body.kind === 'tuple') {
    const [only, ...rest] = body.items.map((item) => describeType(item, declared));
    return only !== undefined && rest.length === 0
      ? { newtype: only }
      : { tuple: only === undefined ? [] : [only, ...rest] };
  }
  const optional = body.fields.filter((field) => field.isOptional).map((field) => field.name);
  return {
    struct: Object.fromEntries(body.fields.map((field) => [field.name, describeType(field.type, declared)])),
    ...(optional.length === 0 ? {} : { optional }),
  };
}

import { printTypeB } from './print-b.ts';
import { isByteVector, isExactly, resultParts, streamItem, type RustType } from './rust-type.ts';

/** A Python annotation, and the Rust type in it that has none. */
export interface PythonHint {
  readonly annotation: string;
  readonly unmapped?: { readonly kind: 'Rust type' | 'reference'; readonly rust: string };
}

/** Says what an own type of the interface file is called in Python; undefined: it is not declared there. */
export type NameLookup = (name: string) => string | undefined;

const SCALARS: Readonly<Record<string, string>> = {
  ...words('i8 i16 i32 i64 isize u8 u16 u32 u64 usize', 'int'),
  ...words('f32 f64', 'float'),
  bool: 'bool',
  String: 'str',
};

/** The original's hints (spec 5.3): own types, maps, tuples and streams are `Any`. */
export function compatHint(type: RustType | undefined): PythonHint {
  if (type === undefined || isUnit(type)) return { annotation: 'None' };
  if (type.kind === 'reference') return referenceHint(type);
  if (type.kind !== 'path') return unmapped('Rust type', printTypeB(type.text));
  const scalar = type.args.length === 0 ? scalarOf(type.name) : undefined;
  if (scalar !== undefined) return { annotation: scalar };
  if (isByteVector(type)) return { annotation: 'bytes' };
  const result = resultParts(type);
  if (result !== undefined) return compatHint(result.value);
  const [only] = type.args;
  if (only !== undefined && type.args.length === 1) {
    if (type.name === 'Vec') return wrapped(compatHint(only), 'list');
    if (type.name === 'Option') return wrapped(compatHint(only), 'Optional');
  }
  return unmapped('Rust type', type.name);
}

const WRAPPERS: ReadonlySet<string> = new Set(['Box', 'Arc', 'Rc', 'Cow', 'Cell', 'RefCell', 'Mutex', 'RwLock']);
const SEQUENCES: ReadonlySet<string> = new Set(['Vec', 'VecDeque', 'HashSet', 'BTreeSet', 'LinkedList', 'BinaryHeap']);
const MAPS: ReadonlySet<string> = new Set(['HashMap', 'BTreeMap', 'IndexMap']);
const WIDE_SCALARS: Readonly<Record<string, string>> = { ...words('i128 u128', 'int'), ...words('char str', 'str') };

/** Our hints: everything that the interface file explains has one. */
export function richHint(type: RustType | undefined, lookup: NameLookup): PythonHint {
  if (type === undefined || isUnit(type)) return { annotation: 'None' };
  switch (type.kind) {
    case 'reference': {
      const known = referenceHint(type);
      return known.unmapped === undefined ? known : richHint(type.inner, lookup);
    }
    case 'parenthesised':
      return richHint(type.inner, lookup);
    case 'slice':
    case 'array':
      return wrapped(richHint(type.item, lookup), 'list');
    case 'tuple':
      return combined(type.items, 'tuple', lookup);
    case 'other':
      return unmapped('Rust type', printTypeB(type.text));
    case 'path':
      return pathHint(type, lookup);
  }
}

function pathHint(type: RustType & { kind: 'path' }, lookup: NameLookup): PythonHint {
  const [first] = type.args;
  const scalar = scalarOf(type.name) ?? (Object.hasOwn(WIDE_SCALARS, type.name) ? WIDE_SCALARS[type.name] : undefined);
  if (first === undefined) {
    const own = scalar ?? lookup(type.name);
    return own === undefined ? unmapped('Rust type', type.name) : { annotation: own };
  }
  if (isByteVector(type)) return { annotation: 'bytes' };
  const item = streamItem(type);
  if (item !== undefined) return wrapped(richHint(item, lookup), 'Iterator');
  if (type.name === 'Result') return richHint(first, lookup);
  if (type.name === 'Option') return wrapped(richHint(first, lookup), 'Optional');
  if (WRAPPERS.has(type.name)) return richHint(first, lookup);
  if (SEQUENCES.has(type.name)) return wrapped(richHint(first, lookup), 'list');
  if (MAPS.has(type.name)) return combined(type.args.slice(0, 2), 'dict', lookup);
  return unmapped('Rust type', type.name);
}

/** `&str` and byte slices are values; other references are not (spec 5.3). */
function referenceHint(type: RustType & { kind: 'reference' }): PythonHint {
  if (isExactly(type.inner, 'str')) return { annotation: 'str' };
  if (type.inner.kind === 'slice' && isExactly(type.inner.item, 'u8')) return { annotation: 'bytes' };
  return unmapped('reference', printTypeB(type.text));
}

function combined(items: readonly RustType[], name: string, lookup: NameLookup): PythonHint {
  const hints = items.map((item) => richHint(item, lookup));
  const missing = hints.find((hint) => hint.unmapped !== undefined)?.unmapped;
  const annotation = `${name}[${hints.map((hint) => hint.annotation).join(', ')}]`;
  return { annotation, ...(missing === undefined ? {} : { unmapped: missing }) };
}

function wrapped(hint: PythonHint, name: string): PythonHint {
  return { ...hint, annotation: `${name}[${hint.annotation}]` };
}

function unmapped(kind: 'Rust type' | 'reference', rust: string): PythonHint {
  return { annotation: 'Any', unmapped: { kind, rust } };
}

function isUnit(type: RustType): boolean {
  return type.kind === 'tuple' && type.items.length === 0;
}

function scalarOf(name: string): string | undefined {
  return Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
}

function words(names: string, hint: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, hint]));
}

import { CallError } from '../../errors.ts';
import type { JsonObject, JsonValue, OperationKind } from '../../plugin-spec.ts';

/**
 * A Rust type as data: a word for what has no parts (`u32`, `f64`, `bool`, `char`, `string`, `bytes`, `unit`, `any`),
 * else an object whose one key is the shape: `option`, `vec`, `set`, `array` (item, length), `tuple`, `map` (key, value),
 * `result` (value, error), `stream`, `named` (a key of the descriptor's `types`).
 */
export type TypeDescriptor = JsonValue;

/** An own type of the interface: `struct` (fields in order), `newtype`, `tuple`, `unit`, or `enum` (its variants). */
export type NamedTypeDescriptor = JsonValue;

// Type aliases, not interfaces: only they fit `JsonObject`, which `host.load` takes.

/** One argument of a method. */
export type ArgumentDescriptor = {
  readonly name: string;
  readonly type?: TypeDescriptor;
};

/** One method of an interface, in the order of the trait: its position is its index. */
export type MethodDescriptor = {
  readonly name: string;
  /** @default false */
  readonly wireRaw?: boolean;
  /** Absent: told from the function. */
  readonly kind?: Exclude<OperationKind, 'node'>;
  /** Whether a package may lack it. @default false */
  readonly optional?: boolean;
  readonly args?: readonly ArgumentDescriptor[];
  readonly returns?: TypeDescriptor;
};

/** What a host expects of a package: written by `clientTypes`, or by hand. */
export type InterfaceDescriptor = {
  readonly name: string;
  /** Version of the interface; a package whose manifest names another one is loaded with a warning. */
  readonly version?: number;
  /** Hash A, as the Rust macro bakes it into hosts: `0x` and up to 16 digits. */
  readonly hash: string;
  /** Hash B, as the original stub tool prints it: accepted with a warning. */
  readonly hashB?: string;
  /** Canonical texts behind the two hashes, for mismatch reports. */
  readonly canonical?: string;
  readonly canonicalB?: string;
  readonly methods: readonly MethodDescriptor[];
  /** Type of the configuration of instances; numbers in it that are f32 or f64 reach Python as floats. */
  readonly config?: TypeDescriptor;
  readonly types?: Readonly<Record<string, NamedTypeDescriptor>>;
};

const KINDS: readonly unknown[] = [undefined, 'unary', 'server-stream', 'client-stream', 'bidi'];

/**
 * Checks a descriptor that came from outside.
 *
 * @throws CallError `ARGUMENT_INVALID` naming the field
 */
export function checkDescriptor(value: JsonObject): JsonObject {
  const { name, hash, hashB, methods } = value;
  if (typeof name !== 'string') throw wrong('name', name, 'a string');
  if (!isHash(hash)) throw wrong('hash', hash, "'0x' and up to 16 hexadecimal digits");
  if (hashB !== undefined && !isHash(hashB)) throw wrong('hashB', hashB, "'0x' and up to 16 hexadecimal digits");
  if (!isList(methods)) throw wrong('methods', methods, 'an array');
  const seen = new Set<string>();
  for (const [index, method] of methods.entries()) {
    const methodName = checkMethod(method, `methods[${index}]`);
    if (seen.has(methodName)) throw wrong(`methods[${index}].name`, methodName, 'a name of its own');
    seen.add(methodName);
  }
  return value;
}

function checkMethod(method: JsonValue, path: string): string {
  if (typeof method !== 'object' || method === null || isList(method)) throw wrong(path, method, 'an object');
  const { name, wireRaw, kind, args } = method;
  if (typeof name !== 'string' || name === '') throw wrong(`${path}.name`, name, 'a method name');
  if (wireRaw !== undefined && typeof wireRaw !== 'boolean') throw wrong(`${path}.wireRaw`, wireRaw, 'a boolean');
  if (!KINDS.includes(kind)) throw wrong(`${path}.kind`, kind, `one of ${KINDS.slice(1).join(', ')}`);
  if (args !== undefined && !isList(args)) throw wrong(`${path}.args`, args, 'an array');
  return name;
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value);
}

function wrong(field: string, value: unknown, expected: string): CallError {
  const shown = value === undefined ? 'missing' : `'${JSON.stringify(value)}'`;
  return new CallError('ARGUMENT_INVALID', `Interface descriptor has '${field}' ${shown}, expected ${expected}`, {
    key: field,
    hint: "Write the descriptor with 'charmer types --interface lib.rs'",
  });
}

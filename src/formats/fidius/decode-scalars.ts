import { CallError } from '../../errors.ts';
import type { NamedTypeDescriptor } from './descriptor.ts';

/** What decoding needs beside the type. */
export interface DecodeContext {
  /** The descriptor's own types. */
  readonly types: Readonly<Record<string, NamedTypeDescriptor>>;
  readonly operation: string;
}

/** Where in a result a value is. */
export interface Place extends DecodeContext {
  /** For example `result.rows[2]`. */
  readonly path: string;
}

const SHOWN = 60;

/** Smallest and largest value of every integer type. */
export const INTEGERS: ReadonlyMap<string, readonly [bigint, bigint]> = new Map(
  ['8', '16', '32', '64', '128', 'size'].flatMap((width) => {
    const bits = BigInt(width === 'size' ? '64' : width);
    return [
      [`u${width}`, [0n, 2n ** bits - 1n]],
      [`i${width}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
    ] as [string, [bigint, bigint]][];
  }),
);

/** A whole number that fits the type: a number, or a bigint beyond 2^53. */
export function integer(type: string, value: unknown, place: Place): unknown {
  const [smallest, largest] = INTEGERS.get(type) ?? [0n, 0n];
  const isWhole = typeof value === 'bigint' || (Number.isInteger(value) && !Object.is(value, -0));
  if (!isWhole) return fail(place, type, value);
  const exact = BigInt(value as bigint | number);
  return exact >= smallest && exact <= largest ? value : fail(place, type, value);
}

/** Any number. */
export function float(value: unknown, place: Place): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : fail(place, 'a number', value);
}

/** Nothing: `None`, or what is empty. */
export function unit(value: unknown, place: Place): null {
  const isEmpty = (Array.isArray(value) || value instanceof Uint8Array) && value.length === 0;
  return value === null || value === undefined || isEmpty ? null : fail(place, 'None', value);
}

/** Bytes, or a list of numbers from 0 to 255. */
export function bytes(value: unknown, place: Place): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const items = list(value, place);
  items.forEach((item, index) => integer('u8', item, at(place, `[${index}]`)));
  return Uint8Array.from(items, Number);
}

/** A list; bytes are one of numbers. */
export function list(value: unknown, place: Place): readonly unknown[] {
  if (value instanceof Uint8Array) return Array.from(value);
  return Array.isArray(value) ? value : fail(place, 'a list', value);
}

/** One step further into the value. */
export function at(place: Place, step: string): Place {
  return { ...place, path: place.path + step };
}

/** Refuses a value, naming its place. */
export function fail(place: Place, expected: string, value: unknown): never {
  const text = shown(value);
  throw new CallError(
    'RESULT_INVALID',
    `Result of '${place.operation}' has ${text} at '${place.path}', expected ${expected}`,
    { operation: place.operation, key: place.path, details: { kind: 'Deserialization' } },
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)) ?? '';
  return `'${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}'`;
}

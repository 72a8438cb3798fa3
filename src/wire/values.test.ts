import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ATTACHED, TAGGED } from './messages.ts';
import { asData, decodeValue, encodePlain, encodeValue, isData, type Payload } from './values.ts';

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  // Whole numbers beyond 2^53 are integers on the wire, and come back as such.
  fc.double().filter((n) => !Number.isInteger(n) || Number.isSafeInteger(n)),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt().filter((n) => n > 2n ** 53n || n < -(2n ** 53n)),
  fc.uint8Array({ maxLength: 20 }),
);
const key = fc.oneof(fc.string(), fc.constantFrom('$', '$$', '$bytes', '$int', '$data', '__proto__', 'toString'));
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie('value'), { maxLength: 5 }), tie('object')),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => {
    const object: Record<string, unknown> = {};
    for (const [name, member] of entries) {
      Object.defineProperty(object, name, { value: member, enumerable: true, configurable: true, writable: true });
    }
    return object;
  }),
}));

class Point {}

describe('encodeValue() and decodeValue()', () => {
  it('are each other’s inverse', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(roundTrip(value)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('need no tags for plain values', () => {
    for (const value of [1, 'x', null, true, [1, [2]], { $a: 1, b: {} }, Object.create(null)]) {
      expect(encodeValue(value, 'v')).toEqual({ flags: 0, text: JSON.stringify(value) });
      expect(encodePlain(value)).toBe(JSON.stringify(value));
    }
  });

  it('tag what JSON would lose', () => {
    for (const value of [-0, NaN, Infinity, 2n, [[-0]], { a: { b: 1n } }]) {
      expect(encodeValue(value, 'v').flags).toBe(TAGGED);
      expect(encodePlain(value)).toBeUndefined();
    }
    expect(encodeValue(Uint8Array.of(1), 'v').flags).toBe(TAGGED | ATTACHED);
  });

  it('treat undefined as JSON does', () => {
    expect(roundTrip({ a: undefined, b: [undefined] })).toEqual({ b: [null] });
    expect(roundTrip({ a: undefined, b: [undefined], c: 1n })).toEqual({ b: [null], c: 1n });
    expect(roundTrip(undefined)).toBeNull();
  });

  it('give bytes as Uint8Array, whatever kind they were', () => {
    const value = roundTrip({ b: Buffer.from([1, 2]) }) as { b: Uint8Array };
    expect(value.b).toEqual(Uint8Array.of(1, 2));
    expect(Buffer.isBuffer(value.b)).toBe(false);
  });

  it('copy bytes out of buffers that are not their own', () => {
    const payload = Buffer.from(flat(encodeValue([Uint8Array.of(1, 2)], 'v')));
    const [copied] = decodeValue(payload, TAGGED | ATTACHED, false) as [Uint8Array];
    const [view] = decodeValue(payload, TAGGED | ATTACHED, true) as [Uint8Array];
    payload.fill(9, payload.length - 2);
    expect(copied).toEqual(Uint8Array.of(1, 2));
    expect(view).toEqual(Uint8Array.of(9, 9));
  });

  it('keep the mark of data', () => {
    const value = roundTrip([asData({ type: 'audio', samples: Uint8Array.of(1) }), { type: 'audio' }]) as unknown[];
    expect(value.map(isData)).toEqual([true, false]);
    expect(roundTrip(asData({ type: 'x' }))).toEqual(asData({ type: 'x' }));
  });

  it('write 200 levels and refuse 201', () => {
    expect(roundTrip(nest(200))).toEqual(nest(200));
    expect(() => encodeValue(nest(201), 'v')).toThrow("Value at 'v[0][0][0]…' nests deeper than 200 levels");
    expect(() => encodeValue(nest(100_000), 'v')).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  });

  it('refuse a value that contains itself', () => {
    const cycle: unknown[] = [];
    cycle.push({ back: cycle });
    expect(() => encodeValue(cycle, 'v')).toThrow("Value at 'v[0].back' contains itself, expected a tree");
  });

  const strangers: readonly (readonly [string, unknown])[] = [
    ['Date', new Date(0)],
    ['Map', new Map()],
    ['Set', new Set()],
    ['function', () => 1],
    ['symbol', Symbol('s')],
    ['RegExp', /x/],
    ['Float32Array', new Float32Array(1)],
    ['ArrayBuffer', new ArrayBuffer(1)],
    ['Point', new Point()],
  ];
  it.each(strangers)('refuse a %s, naming its place', (name, value) => {
    expect(() => encodeValue({ a: [0, value] }, 'arguments')).toThrow(
      expect.objectContaining({
        code: 'ARGUMENT_INVALID',
        message: `'arguments.a[1]' is of type '${name}', expected a JSON value, bigint or Uint8Array`,
      }),
    );
  });

  it.each([
    '{"$bytes":0}',
    '{"$bytes":"x"}',
    '{"$int":"1.5"}',
    '{"$float":"toString"}',
    '{"$data":{}}',
    '{"$data":1}',
    '{"$what":1}',
    '{"a":',
  ])('refuse a payload with %s', (text) => {
    expect(() => decodeValue(Buffer.from(text), TAGGED, false)).toThrow(SyntaxError);
  });

  it('refuse attachments that do not add up', () => {
    const whole = flat(encodeValue([Uint8Array.of(1, 2, 3)], 'v'));
    for (let size = 0; size < whole.length; size++) {
      expect(() => decodeValue(whole.subarray(0, size), TAGGED | ATTACHED, false)).toThrow();
    }
    expect(() => decodeValue(Buffer.concat([whole, Buffer.of(0)]), TAGGED | ATTACHED, false)).toThrow(SyntaxError);
  });
});

function flat(payload: Payload): Buffer {
  return 'text' in payload ? Buffer.from(payload.text) : Buffer.concat(payload.parts);
}

function roundTrip(value: unknown): unknown {
  const payload = encodeValue(value, 'v');
  return decodeValue(flat(payload), payload.flags, false);
}

function nest(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

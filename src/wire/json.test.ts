import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseExactJson, parseJson } from './json.ts';

describe('parseExactJson()', () => {
  it('agrees with JSON.parse where no integer is beyond 2^53', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom('', ' ', '\n\t'), (text, blank) => {
        fc.pre(!/\d{16}/.test(text));
        expect(parseExactJson(blank + text + blank)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    for (const text of [
      '',
      '{',
      '[1,]',
      '{"a"}',
      '{"a":1,}',
      '"',
      '"\\"',
      'tru',
      '01',
      '1.',
      '-',
      'NaN',
      '[1] 2',
      '{a:1}',
    ]) {
      expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
      expect(() => parseExactJson(text)).toThrow(SyntaxError);
    }
    expect(() => parseExactJson('['.repeat(100_000))).toThrow('JSON nests deeper than 1000 levels');
  });

  it('keeps escapes, surrogates and members named __proto__', () => {
    const text = '{"a\\"\\\\":"\\ud83d\\ude00\\ud800","__proto__":{"x":9007199254740993}}';
    const value = parseExactJson(text) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['a"\\', '__proto__']);
    expect(value['a"\\']).toBe('😀\ud800');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

describe('parseJson()', () => {
  it('gives integers beyond 2^53 as bigint, wherever they stand', () => {
    const integer = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), integer), { minLength: 1 }), (pairs) => {
        const text = `[${pairs.map(([key, n]) => `{${JSON.stringify(key)}:${n}}`).join(',')}]`;
        const parsed = parseJson(text) as Record<string, unknown>[];
        for (const [index, [key, n]] of pairs.entries()) {
          const expected = n >= -(2n ** 53n - 1n) && n <= 2n ** 53n - 1n ? Number(n) : n;
          expect(Object.entries(parsed[index] ?? {})).toEqual([[key, expected]]);
        }
      }),
    );
    expect(parseJson('12345678901234567890')).toBe(12345678901234567890n);
    expect(parseJson('-12345678901234567890')).toBe(-12345678901234567890n);
  });

  it('gives floats as numbers however many digits they have', () => {
    for (const text of [
      '0.12345678901234567',
      '1.2345678901234567e+19',
      '123456789012345678.5',
      '12345678901234567e3',
    ]) {
      expect(parseJson(`[${text}]`)).toEqual([Number(text)]);
    }
  });

  it('leaves digits inside of texts alone', () => {
    expect(parseJson('["12345678901234567890",":12345678901234567890,"]')).toEqual([
      '12345678901234567890',
      ':12345678901234567890,',
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { JsonFault, readJson } from './json-reader.ts';

describe('readJson()', () => {
  it('gives what JSON.parse gives for every JSON text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(readJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('takes and refuses the same texts as JSON.parse', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '1',
      '-',
      '01',
      '1.',
      '1e3',
      'true',
      'nul',
      ' ',
      '\n',
      '"\\u12"',
      '"\\x"',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
        const text = fragments.join('');
        const outcome = (read: (text: string) => unknown): unknown => {
          try {
            return { value: read(text) };
          } catch {
            return 'refused';
          }
        };
        expect(outcome(readJson)).toEqual(outcome(JSON.parse));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps a key __proto__ as a key', () => {
    expect(Object.keys(readJson('{"__proto__":{"x":1}}') as object)).toEqual(['__proto__']);
  });

  it('reads a hundred thousand levels and ten million characters', () => {
    const deep = readJson(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(Array.isArray(deep)).toBe(true);
    expect(readJson(`"${'é'.repeat(10_000_000)}"`)).toHaveLength(10_000_000);
  });

  it.each([
    ['', 0, ''],
    ['[1,]', 3, ']'],
    ['{"a" 1}', 5, '1'],
    ['[1 2]', 3, '2'],
    ['nan', 0, 'nan'],
    ['01', 1, '1'],
    ['-Infinity', 0, '-Infinity'],
    ['"a\\q"', 2, '\\'],
    ['"abc', 4, ''],
    ['[😀]', 1, '😀'],
  ])('says where %j goes wrong', (text, offset, token) => {
    let fault: unknown;
    try {
      readJson(text);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(JsonFault);
    expect(fault).toMatchObject({ offset, token });
  });
});

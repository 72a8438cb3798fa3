import { describe, expect, it } from 'vitest';

import {
  addresses,
  aliased,
  countA,
  externalIds,
  fieldsOf,
  imageAddress,
  integerB,
  names,
  numberB,
  text,
} from './coercions.ts';

describe('coercions of the normalised shapes (O32)', () => {
  it.each([
    ['12abc', 12, 12],
    ['1.9', 1, 1.9],
    ['0x1F', 0, 0],
    ['1e3', 1, 1000],
    ['1e2min', 1, 100],
    ['+4', 4, 4],
    [' 7,5', 7, 7],
    ['１２', null, null],
    ['7.5x', 7, 7.5],
    [1.5, 1.5, 1.5],
    [Infinity, null, null],
    [true, null, null],
    ['', null, null],
  ])('countA() and numberB() read %j as %s and %s', (value, count, number) => {
    expect([countA(value), numberB(value)]).toEqual([count, number]);
  });

  it.each([
    [120.9, 120],
    [-12.9, -12],
    ['-12.9', -12],
    ['x', null],
  ])('integerB() cuts %j to %s', (value, integer) => {
    expect(integerB(value)).toBe(integer);
  });

  it('names() keeps the first spelling by JavaScript’s lower case', () => {
    expect(names([' Ann ', 'ANN', 'İ', 'i̇', 'ß', 'SS', '', 3])).toEqual(['Ann', 'İ', 'ß', 'SS']);
    expect(names('Ann')).toEqual([]);
  });

  it('addresses() takes lists and single texts, keeps doubles and looks at case', () => {
    expect(addresses([' http://a ', 'http://a', 'HTTPS://b', 'data:x', '//c'])).toEqual([
      'http://a',
      'http://a',
      'data:x',
    ]);
    expect(addresses('https://a')).toEqual(['https://a']);
    expect([imageAddress('data:image/png,x'), imageAddress('data:text/plain,x')]).toEqual(['data:image/png,x', null]);
  });

  it('aliased() takes the alias only for null and absent', () => {
    const field = fieldsOf({ a: null, b: '', alias: 1 });
    expect([aliased(field, 'a', 'alias'), aliased(field, 'gone', 'alias'), aliased(field, 'b', 'alias')]).toEqual([
      1,
      1,
      '',
    ]);
  });

  it('externalIds() keeps texts under trimmed keys, and a key __proto__ as a key (W32)', () => {
    const given: unknown = JSON.parse('{"__proto__":"1"," tvdb ":" 5 ","n":603," ":"x","e":" "}');
    const ids = externalIds(given);
    expect(Object.entries(ids)).toEqual([
      ['__proto__', '1'],
      ['tvdb', '5'],
    ]);
    expect(externalIds(['603'])).toEqual({});
  });

  it('text() is null for blanks and for what is no text', () => {
    expect([text(' a '), text(' '), text(5), text(null)]).toEqual(['a', null, null, null]);
  });
});

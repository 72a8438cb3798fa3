import { describe, expect, it } from 'vitest';
import { decodeType } from './decode-type.ts';
import type { TypeDescriptor } from './descriptor.ts';
import { encoderOf } from './encode-type.ts';

const TYPES = {
  Point: { struct: { y: 'i32', x: 'f64', note: { option: 'string' } }, optional: ['note'] },
  Shape: { enum: { Dot: { unit: true }, Circle: { newtype: 'f64' }, Rect: { struct: { w: 'u8' } } } },
  Tree: { struct: { kind: { named: 'Shape' }, children: { vec: { named: 'Tree' } } } },
} as const;

describe('decodeType() (F27, FW18)', () => {
  it.each<[TypeDescriptor, unknown, unknown]>([
    [{ option: 'i64' }, null, null],
    [{ named: 'Shape' }, { Circle: 1.5 }, { Circle: 1.5 }],
    [{ named: 'Shape' }, { Dot: null }, 'Dot'],
    [{ map: ['u32', 'string'] }, { '1': 'one' }, { '1': 'one' }],
    ['f64', Number.NaN, Number.NaN],
    ['u128', 2n ** 100n, 2n ** 100n],
    ['bytes', [0, 255], new Uint8Array([0, 255])],
    [{ result: ['u8', 'any'] }, 7, 7],
    [{ named: 'Point' }, { y: 1, x: 2, extra: true }, { y: 1, x: 2, note: null }],
    [{ stream: 'u8' }, 3, 3],
  ])('decodeType() reads %o from %o', (type, value, wanted) => {
    expect(decodeType(type, value, { operation: 'go', types: TYPES })).toEqual(wanted);
  });

  it.each<[TypeDescriptor, unknown, string]>([
    ['u8', 256, 'result'],
    ['string', 5, 'result'],
    [{ vec: 'u8' }, [1, -1], 'result[1]'],
    [{ named: 'Point' }, { y: 1 }, 'result.x'],
    [{ named: 'Tree' }, { kind: 'Dot', children: [{ kind: 'Square', children: [] }] }, 'result.children[0].kind'],
    [{ tuple: ['u8', 'u8'] }, [1], 'result'],
    ['i64', -0, 'result'],
  ])('decodeType() refuses %o from %o and names the place', (type, value, key) => {
    expect(() => decodeType(type, value, { operation: 'go', types: TYPES })).toThrow(
      expect.objectContaining({ code: 'RESULT_INVALID', operation: 'go', key }),
    );
  });
});

describe('encoderOf() (F26)', () => {
  it('encoderOf() leaves values of plain types alone', () => {
    expect(encoderOf({ vec: 'u8' }, TYPES)).toBeUndefined();
    expect(encoderOf({ named: 'Point' }, TYPES)).toBeUndefined();
  });

  it('encoderOf() sends a unit variant as the original host does, at any depth', () => {
    const tree = { kind: 'Dot', children: [{ kind: { Circle: 1 }, children: [{ kind: 'Dot', children: [] }] }] };
    expect(encoderOf({ named: 'Tree' }, TYPES)?.(tree)).toEqual({
      kind: { Dot: null },
      children: [{ kind: { Circle: 1 }, children: [{ kind: { Dot: null }, children: [] }] }],
    });
  });

  it('encoderOf() sends maps as dicts and sets as lists', () => {
    expect(encoderOf({ map: ['u32', 'u8'] }, TYPES)?.(new Map([[1, 2]]))).toEqual({ '1': 2 });
    expect(encoderOf({ set: 'u8' }, TYPES)?.(new Set([3, 1]))).toEqual([3, 1]);
  });
});

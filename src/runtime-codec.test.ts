import { describe, expect, it } from 'vitest';

import { decodeRuntimeData, encodeRuntimeData, parseRuntimeData, plainRuntimeData } from './runtime-codec.ts';
import type { RuntimeData } from './runtime-data.ts';

const EVERY_KIND: readonly RuntimeData[] = [
  { type: 'text', data: 'x', channel: 'ui', language: 'fr', annotations: { pts_us: 1 }, session: 's' },
  { type: 'audio', samples: Float32Array.of(0.5, -0.5), sampleRate: 24000, channels: 2 },
  { type: 'json', value: null },
  { type: 'json', value: [1, { a: NaN }] },
  { type: 'binary', data: Uint8Array.of(1, 2) },
  { type: 'tensor', data: Uint8Array.of(1), shape: [1], dtype: 'u8', extras: { k: 1 } },
  { type: 'numpy', data: Uint8Array.of(1), shape: [], dtype: '|u1' },
  {
    ...{ type: 'video', data: Uint8Array.of(1), width: 1, height: 1, format: 'rgb', fps: 25, codec: 'h264' },
    ...{ frameNumber: 7, isKeyframe: true },
  },
  { type: 'image', data: Uint8Array.of(1), width: 1, height: 1, format: 'rgb' },
  { type: 'file', path: 'a', filename: 'A', mimeType: 'text/plain', size: 1, offset: 2, length: 3, streamId: 's' },
  { type: 'control', messageType: 'BatchHint', segmentId: 'g', timestampMs: 5, metadata: {}, fields: { n: 4 } },
];

describe('runtime-codec', () => {
  it.each(EVERY_KIND.map((data) => [data.type, data] as const))(
    'encodeRuntimeData() and decodeRuntimeData() keep every field of %s (R63, R64, R66)',
    (_, data) => {
      const dict = encodeRuntimeData(data);
      expect(Object.keys(dict).every((key) => key === key.toLowerCase())).toBe(true);
      expect(decodeRuntimeData(dict)).toEqual(data);
    },
  );

  it('decodeRuntimeData() reads samples at any place in a buffer', () => {
    const bytes = new Uint8Array(9);
    bytes.set(new Uint8Array(Float32Array.of(0.25, 1).buffer), 1);
    const read = decodeRuntimeData({ type: 'audio', samples: bytes.subarray(1), sample_rate: 8000, channels: 1 });
    expect(read).toMatchObject({ samples: Float32Array.of(0.25, 1) });
  });

  it('parseRuntimeData() takes loose inputs', () => {
    expect(parseRuntimeData('x')).toEqual({ type: 'text', data: 'x' });
    expect(parseRuntimeData(Uint8Array.of(1))).toEqual({ type: 'binary', data: Uint8Array.of(1) });
    expect(parseRuntimeData({ type: 'stranger' })).toEqual({ type: 'json', value: { type: 'stranger' } });
    expect(parseRuntimeData(null)).toEqual({ type: 'json', value: null });
    expect(parseRuntimeData({ type: 'audio', samples: [0, 1], sample_rate: 8000 })).toEqual({
      ...{ type: 'audio', samples: Float32Array.of(0, 1), sampleRate: 8000, channels: 1 },
    });
  });

  it.each([
    [new Float32Array(1), 'no sample rate'],
    [undefined, "'undefined' cannot travel"],
    [{ type: 'text' }, "no 'data'"],
    [{ type: 'audio', samples: new Uint8Array(3), sampleRate: 1, channels: 1 }, "'samples'"],
    [{ type: 'audio', samples: [], sampleRate: 0, channels: 1 }, "'sampleRate'"],
    [{ type: 'tensor', data: new Uint8Array(1), shape: [-1], dtype: 'u8' }, "'shape'"],
  ])('parseRuntimeData() refuses %j and names the field', (value, words) => {
    expect(() => parseRuntimeData(value)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID', message: expect.stringContaining(words) }),
    );
  });

  it('decodeRuntimeData() refuses what is no value', () => {
    expect(() => decodeRuntimeData({ type: 'text' })).toThrow(expect.objectContaining({ code: 'RESULT_INVALID' }));
    expect(() => decodeRuntimeData(5)).toThrow(expect.objectContaining({ code: 'RESULT_INVALID' }));
  });

  it('plainRuntimeData() hands plain values to functions of other formats', () => {
    expect(plainRuntimeData({ type: 'text', data: 'x' })).toBe('x');
    expect(plainRuntimeData({ type: 'json', value: [1] })).toEqual([1]);
    expect(plainRuntimeData({ type: 'file', path: 'a' })).toEqual({ type: 'file', path: 'a' });
  });
});

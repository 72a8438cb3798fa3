import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FrameDecoder } from './frame-decoder.ts';
import { KINDS, MAX_FRAME_BYTES } from './messages.ts';

interface Plain {
  readonly kind: number;
  readonly flags: number;
  readonly slot: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

const frame = fc.record({
  kind: fc.integer({ min: 1, max: KINDS.length }),
  flags: fc.integer({ min: 0, max: 255 }),
  slot: fc.integer({ min: 0, max: 65_535 }),
  id: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ maxLength: 300 }),
});

describe('FrameDecoder', () => {
  it('reads the same frames wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(4000), { maxLength: 12 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(bytesOf));
        expect(decode(bytes, cuts)).toEqual(frames);
      }),
    );
  });

  it('reads a frame that is cut at every byte', () => {
    const frames = [
      { kind: 4, flags: 0, slot: 7, id: 9, payload: Uint8Array.of(1, 2, 3, 4, 5) },
      { kind: 8, flags: 0, slot: 0, id: 9, payload: Uint8Array.of() },
    ];
    const bytes = Buffer.concat(frames.map(bytesOf));
    for (let cut = 0; cut <= bytes.length; cut++) expect(decode(bytes, [cut])).toEqual(frames);
    expect(decode(bytes, [...bytes.keys()])).toEqual(frames);
  });

  it('knows whether it is inside of a frame', () => {
    const decoder = new FrameDecoder(() => undefined, MAX_FRAME_BYTES);
    const bytes = bytesOf({ kind: 5, flags: 0, slot: 0, id: 1, payload: Uint8Array.of(1, 2) });
    for (const [index, byte] of bytes.entries()) {
      decoder.push(Buffer.of(byte));
      expect(decoder.isInsideFrame).toBe(index < bytes.length - 1);
    }
  });

  it('takes a payload of exactly the limit and refuses one byte more', () => {
    const decoder = new FrameDecoder(() => undefined, 10);
    decoder.push(bytesOf({ kind: 5, flags: 0, slot: 0, id: 1, payload: new Uint8Array(10) }));
    expect(() => {
      decoder.push(bytesOf({ kind: 5, flags: 0, slot: 0, id: 1, payload: new Uint8Array(11) }));
    }).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
  });

  it('answers any garbage with frames or a coded error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (chunks) => {
        const decoder = new FrameDecoder(() => undefined, 1000);
        try {
          for (const chunk of chunks) decoder.push(Buffer.from(chunk));
        } catch (error) {
          expect(['FRAME_TOO_LARGE', 'MESSAGE_UNEXPECTED']).toContain((error as { code?: string }).code);
        }
      }),
    );
  });
});

function bytesOf({ kind, flags, slot, id, payload }: Plain): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt8(kind, 4);
  head.writeUInt8(flags, 5);
  head.writeUInt16LE(slot, 6);
  head.writeUInt32LE(id, 8);
  return Buffer.concat([head, payload]);
}

function decode(bytes: Buffer, cuts: readonly number[]): Plain[] {
  const frames: Plain[] = [];
  const decoder = new FrameDecoder(({ kind, flags, slot, id, bytes: from, start, end }) => {
    frames.push({ kind, flags, slot, id, payload: new Uint8Array(from.subarray(start, end)) });
  }, MAX_FRAME_BYTES);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, place] of places.entries()) decoder.push(bytes.subarray(place, places[index + 1]));
  return frames;
}

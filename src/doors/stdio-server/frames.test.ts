import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeFrame, FrameReader, type Message } from './frames.ts';

/** One frame, in one piece. */
function bytesOf(message: Message): Buffer {
  return Buffer.concat(encodeFrame(message).parts);
}

/** What a reader makes of bytes that come in pieces of one size. */
function read(bytes: Buffer, pieceSize = bytes.length): Message[] {
  const reader = new FrameReader();
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize)
    messages.push(...reader.push(bytes.subarray(at, at + pieceSize)));
  return messages;
}

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.bigInt(),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$bytes', '$int', '$$', '__proto__')), tie('value')),
  ),
})).value;

describe('encodeFrame()', () => {
  it('writes frames from which FrameReader reads the same values, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 3 }), fc.integer({ min: 1, max: 64 }), (values, pieceSize) => {
        const messages = values.map((each) => ({ kind: 'send', data: each }));
        const back = read(Buffer.concat(messages.map(bytesOf)), pieceSize);
        expect(back.map(plain)).toEqual(messages.map(plain));
      }),
    );
  });

  it('writes the layout that its partner in Python reads', () => {
    const bytes = bytesOf({ kind: 'send', data: Uint8Array.of(1, 2), id: 7n });
    const text = '{"kind":"send","data":{"$bytes":[0,2]},"id":{"$int":"7"}}';
    const head = Buffer.alloc(8);
    head.writeUInt32LE(4 + text.length + 2, 0);
    head.writeUInt32LE(text.length, 4);
    expect(bytes).toEqual(Buffer.concat([head, Buffer.from(text), Buffer.of(1, 2)]));
  });

  it('refuses what cannot cross, naming its type', () => {
    expect(() => encodeFrame({ kind: 'reply', value: () => 1 })).toThrow(
      expect.objectContaining({ code: 'RESULT_INVALID', message: expect.stringContaining('function') }),
    );
  });
});

describe('FrameReader', () => {
  it('parses a frame cut at every byte, and knows that it is inside of one', () => {
    const bytes = bytesOf({ kind: 'open', manifest: 'ü', data: Uint8Array.of(9) });
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const reader = new FrameReader();
      expect([...reader.push(bytes.subarray(0, cut))]).toEqual([]);
      expect(reader.isInside).toBe(true);
      expect([...reader.push(bytes.subarray(cut))]).toHaveLength(1);
      expect(reader.isInside).toBe(false);
    }
  });

  it.each([
    ['a length beyond every frame', frame('{"kind":"x"}', { rest: 2 ** 31 }), 'FRAME_TOO_LARGE'],
    ['a text longer than its frame', frame('{"kind":"x"}', { text: 99 }), 'FRAME_MALFORMED'],
    ['a frame too short for its own head', Buffer.alloc(8), 'FRAME_MALFORMED'],
    ['no JSON', frame('{"kind":'), 'FRAME_MALFORMED'],
    ['JSON without a kind', frame('{"id":1}'), 'FRAME_MALFORMED'],
    ['a list', frame('[]'), 'FRAME_MALFORMED'],
    ['bytes beyond the attachments', frame('{"kind":"x","a":{"$bytes":[0,5]}}'), 'FRAME_MALFORMED'],
    ['negative bytes', frame('{"kind":"x","a":{"$bytes":[-1,1]}}'), 'FRAME_MALFORMED'],
    ['an unknown tag', frame('{"kind":"x","a":{"$what":1}}'), 'FRAME_MALFORMED'],
    ['an integer that is none', frame('{"kind":"x","a":{"$int":"1e5"}}'), 'FRAME_MALFORMED'],
    ['a float of an inherited name', frame('{"kind":"x","a":{"$float":"toString"}}'), 'FRAME_MALFORMED'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code }));
  });
});

function frame(text: string, lengths: { rest?: number; text?: number } = {}): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(lengths.rest ?? 4 + text.length, 0);
  head.writeUInt32LE(lengths.text ?? text.length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Values in a form that compares: bytes by content, objects by their own members. */
function plain(given: unknown): unknown {
  if (given instanceof Uint8Array) return ['bytes', ...given];
  if (Array.isArray(given)) return given.map(plain);
  if (typeof given !== 'object' || given === null) return given;
  return new Map(Object.entries(given).map(([key, member]) => [key, plain(member)]));
}

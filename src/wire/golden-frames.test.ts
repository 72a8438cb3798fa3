import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { asData, STREAM_PLACE } from './data-object.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { creditOf, valueOf } from './frame-value.ts';
import { FrameWriter } from './frame-writer.ts';
import { KINDS, MAX_FRAME_BYTES, RAW } from './messages.ts';
import { encodeValue } from './values.ts';

interface Golden {
  readonly name: string;
  readonly writtenBy: readonly ('host' | 'runner')[];
  readonly kind: (typeof KINDS)[number];
  readonly flags: number;
  readonly slot: number;
  readonly id: number;
  readonly value?: unknown;
  readonly credit?: readonly [number, number];
  readonly hex: string;
}

const file = fileURLToPath(new URL('../../fixtures/wire/frames.json', import.meta.url));
const golden = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly maxFrameBytes: number;
  readonly frames: readonly Golden[];
  readonly refused: readonly { readonly name: string; readonly code: string; readonly hex: string }[];
};

describe('golden frames', () => {
  it('have the same limit', () => {
    expect(golden.maxFrameBytes).toBe(MAX_FRAME_BYTES);
  });

  it('show every kind', () => {
    expect(new Set(golden.frames.map(({ kind }) => kind))).toEqual(new Set(KINDS));
  });

  // Client streams go to the runner only.
  const read = golden.frames.filter(({ name }) => name !== 'call with a client stream');
  it.each(read)('are read as they are meant: $name', (frame) => {
    const got: unknown[] = [];
    const decoder = new FrameDecoder((each) => {
      const head = { kind: KINDS[each.kind - 1], flags: each.flags, slot: each.slot, id: each.id };
      if (frame.credit !== undefined) got.push({ ...head, credit: creditOf(each) });
      else got.push(each.end === each.start ? head : { ...head, value: valueOf(each) });
    }, MAX_FRAME_BYTES);
    decoder.push(Buffer.from(frame.hex, 'hex'));
    const { kind, flags, slot, id, credit } = frame;
    const head = { kind, flags, slot, id };
    if (credit !== undefined) expect(got).toEqual([{ ...head, credit }]);
    else if (frame.value === undefined) expect(got).toEqual([head]);
    else expect(got).toEqual([{ ...head, value: meaning(frame.value) }]);
  });

  it.each(golden.frames.filter(({ writtenBy }) => writtenBy.includes('host')))(
    'are written as: $name',
    async (frame) => {
      const { stream, written } = sink();
      const writer = new FrameWriter(stream);
      const head = { kind: KINDS.indexOf(frame.kind) + 1, flags: frame.flags, slot: frame.slot, id: frame.id };
      if (frame.credit !== undefined) {
        writer.credit(frame.id, ...frame.credit);
      } else if (frame.value === undefined) {
        writer.empty(head.kind, head.id);
      } else {
        const value = meaning(frame.value);
        if ((frame.flags & RAW) !== 0) {
          writer.bytes(head, value as Uint8Array);
        } else {
          const payload = encodeValue(value, 'value');
          expect(frame.flags & 3).toBe(payload.flags);
          if ('text' in payload) writer.text(head, payload.text);
          else writer.bytes(head, ...payload.parts);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(Buffer.concat(written).toString('hex')).toBe(frame.hex);
    },
  );

  it.each(golden.refused)('are refused with $code: $name', ({ code, hex }) => {
    const decoder = new FrameDecoder(() => undefined, MAX_FRAME_BYTES);
    expect(() => {
      decoder.push(Buffer.from(hex, 'hex'));
    }).toThrow(expect.objectContaining({ code }));
  });
});

/** What a value of the fixture stands for. */
function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  const text = (name: string): string => fields[name] as string;
  if ('@bytes' in fields) return new Uint8Array(Buffer.from(text('@bytes'), 'hex'));
  if ('@int' in fields) return BigInt(text('@int'));
  if ('@float' in fields) return { nan: NaN, inf: Infinity, '-inf': -Infinity, '-0.0': -0 }[text('@float')];
  if ('@surrogate' in fields) return String.fromCharCode(Number.parseInt(text('@surrogate'), 16));
  if ('@stream' in fields) return STREAM_PLACE;
  if ('@data' in fields) return asData(meaning(fields['@data']) as { type: string });
  return Object.fromEntries(Object.entries(fields).map(([key, member]) => [key, meaning(member)]));
}

function sink(): { stream: Writable; written: Buffer[] } {
  const written: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, written };
}

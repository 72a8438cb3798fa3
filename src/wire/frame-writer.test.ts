import { Writable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { FrameDecoder } from './frame-decoder.ts';
import { FrameWriter } from './frame-writer.ts';
import { END, ITEM, MAX_FRAME_BYTES, RESULT } from './messages.ts';

/** A stream that takes writes when it is told to, and what it took. */
function sink() {
  const writes: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(Buffer.from(chunk));
      waiting.push(done);
    },
  });
  return { stream, writes, take: () => waiting.shift()?.() };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function payloads(writes: readonly Buffer[]): string[] {
  const found: string[] = [];
  const decoder = new FrameDecoder(({ kind, bytes, start, end }) => {
    found.push(`${kind}:${bytes.toString('utf8', start, end)}`);
  }, MAX_FRAME_BYTES);
  for (const write of writes) decoder.push(write);
  return found;
}

const item = { kind: ITEM, flags: 0, slot: 0, id: 1 };

describe('FrameWriter', () => {
  it('writes once what is added by running code and its promise jobs', async () => {
    const { stream, writes } = sink();
    const writer = new FrameWriter(stream);
    writer.text(item, 'a');
    await Promise.resolve();
    writer.text(item, 'ü€😀');
    writer.empty(END, 1);
    await turn();
    expect(writes).toHaveLength(1);
    expect(payloads(writes)).toEqual([`${ITEM}:a`, `${ITEM}:ü€😀`, `${END}:`]);
  });

  it('keeps the order of small and large payloads', async () => {
    const { stream, writes, take } = sink();
    const writer = new FrameWriter(stream);
    const large = 'x'.repeat(100_000);
    writer.text(item, 'first');
    writer.text(item, large);
    writer.bytes({ ...item, kind: RESULT }, Buffer.from('a'), Buffer.from(large), Buffer.from('b'));
    writer.text(item, 'last');
    for (let i = 0; i < 8; i++) {
      await turn();
      take();
    }
    expect(payloads(writes)).toEqual([`${ITEM}:first`, `${ITEM}:${large}`, `${RESULT}:a${large}b`, `${ITEM}:last`]);
  });

  it('leaves memory alone that its stream has not taken yet', async () => {
    const { stream, writes, take } = sink();
    const writer = new FrameWriter(stream);
    for (let i = 0; i < 50; i++) {
      writer.text(item, String(i));
      await turn();
    }
    for (let i = 0; i < 50; i++) {
      take();
      await turn();
    }
    expect(payloads(writes)).toEqual(Array.from({ length: 50 }, (_, i) => `${ITEM}:${i}`));
  });

  it('drops what is added after stop()', async () => {
    const { stream, writes } = sink();
    const writer = new FrameWriter(stream);
    writer.text(item, 'a');
    writer.stop();
    writer.text(item, 'b');
    await turn();
    expect(writes).toEqual([]);
  });
});

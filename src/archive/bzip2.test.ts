import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveReason } from './archive-failure.ts';
import { readBzip2 } from './bzip2-read.ts';
import { compress } from './compress.ts';
import { bzip2, scratch } from './scratch.case.ts';

const temporary = scratch();

/** Data as an archive has it: words, runs, noise. */
const data = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.nat(255), fc.integer({ min: 1, max: 700 }))
        .map(([value, count]) => new Uint8Array(count).fill(value)),
      fc.constantFrom(
        ...['import os\n', '    return None\n', 'def f(x):\n'].map((text) => new TextEncoder().encode(text)),
      ),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.concat(pieces));

const decompress = (bytes: Buffer): Buffer => {
  const pieces = [bytes];
  return Buffer.concat([...readBzip2(() => pieces.shift())]);
};

/** Compresses every chunk by itself with one start of Python; chunks and answers carry their length. */
function compressEach(chunks: readonly Buffer[]): Buffer[] {
  const program = `
import bz2, struct, sys
read = sys.stdin.buffer.read
for head in iter(lambda: read(4), b''):
    packed = bz2.compress(read(struct.unpack('<I', head)[0]))
    sys.stdout.buffer.write(struct.pack('<I', len(packed)) + packed)
`;
  const input = Buffer.concat(chunks.flatMap((chunk) => [lengthOf(chunk), chunk]));
  const output = execFileSync('python3', ['-c', program], { input, maxBuffer: 2 ** 27 });
  const packed: Buffer[] = [];
  for (let at = 0; at < output.length;) {
    const length = output.readUInt32LE(at);
    packed.push(output.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return packed;
}

function lengthOf(chunk: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(chunk.length);
  return head;
}

describe('readBzip2()', () => {
  it("readBzip2() undoes Python's bz2 for any bytes, however they are cut (F3)", () => {
    const samples = fc.sample(data, 60);
    for (const [index, packed] of compressEach(samples).entries()) {
      const pieces = [...packed].map((byte) => Buffer.from([byte]));
      const expected = samples[index] ?? Buffer.alloc(0);
      expect(Buffer.concat([...readBzip2(() => pieces.shift())]).equals(expected)).toBe(true);
    }
  });

  it('readBzip2() reads several blocks, long runs and blocks that repeat themselves (F3)', () => {
    const words = Buffer.from(Array.from({ length: 45_000 }, (_, n) => `line ${n * n} of ${n % 97}\n`).join(''));
    const repeated = Buffer.from('hello hello hello world'.repeat(40));
    for (const bytes of [Buffer.alloc(0), repeated, Buffer.concat([words, Buffer.alloc(1_000_000), words])])
      expect(decompress(bzip2(bytes)).equals(bytes)).toBe(true);
  });

  it('readBzip2() refuses every single changed bit that changes what is read (F3)', () => {
    const bytes = Buffer.from('import os\n'.repeat(30));
    const packed = bzip2(bytes);
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const changed = Buffer.from(packed);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      let read: Buffer | undefined;
      try {
        read = decompress(changed);
      } catch (error) {
        expect(['no-stream-magic', 'stream-invalid', 'stream-cut']).toContain(archiveReason(error));
      }
      if (read !== undefined) expect(read.equals(bytes)).toBe(true);
    }
  });

  it('readBzip2() refuses a stream that is cut anywhere', () => {
    const packed = bzip2(Buffer.from('some text to cut'));
    for (let end = 0; end < packed.length; end++) {
      expect(() => decompress(packed.subarray(0, end))).toThrow(/ends before its compressed data/);
    }
  });

  it('readBzip2() counts what follows the stream and recognises a second one (FW29)', () => {
    const packed = bzip2(Buffer.from('x'));
    const end = (rest: Buffer): unknown => {
      const pieces = [packed, rest];
      const reader = readBzip2(() => pieces.shift());
      for (let step = reader.next(); ; step = reader.next()) if (step.done === true) return step.value;
    };
    expect(end(Buffer.from('rest'))).toEqual({ trailingBytes: 4, hasSecondStream: false });
    expect(end(packed)).toEqual({ trailingBytes: packed.length, hasSecondStream: true });
  });
});

describe('compress()', () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7919) & 0xff));
  const compressed = async (pieces: Iterable<Buffer>, python?: string): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for await (const piece of compress(pieces, { container: 'tar.bz2', python })) parts.push(piece);
    return Buffer.concat(parts);
  };
  const program = (text: string): string => {
    const file = path.join(temporary(), 'python3');
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  };

  it('compress() writes one stream of level 9, the same bytes however the input is cut (F4)', async () => {
    const packed = await compressed([noise.subarray(0, 100_000), noise.subarray(100_000)], 'python3');
    expect(packed.equals(bzip2(noise))).toBe(true);
    expect(packed.subarray(0, 4).toString()).toBe('BZh9');
    expect(decompress(packed).equals(noise)).toBe(true);
  });

  it.each([
    ['is not named', undefined, /No interpreter was named/],
    ['cannot be started', '/nowhere/python3', /cannot be started/],
    ['fails', '/bin/false', /failed to write bzip2: exit 1/],
  ])('compress() refuses with a code and a hint when the interpreter %s', async (_, python, message) => {
    await expect(compressed([noise], python)).rejects.toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining('import bz2') as string,
    });
  });

  it('compress() says so when the interpreter was built without bz2', async () => {
    const real = execFileSync('python3', ['-c', 'import sys; print(sys.executable)']).toString().trim();
    // A module that is None in sys.modules cannot be imported: what an interpreter without libbz2 does.
    const python = program(`#!/bin/sh
shift 3
exec '${real}' -I -S -c "import sys; sys.modules['_bz2'] = None
$1"
`);
    await expect(compressed([noise], python)).rejects.toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: `Interpreter '${python}' has no module 'bz2', which writes archives of this kind`,
      hint: expect.stringContaining('libbz2') as string,
    });
  });

  it('compress() passes on what making the pieces throws', async () => {
    const fails = function* (): Generator<Buffer> {
      yield noise;
      throw new Error('unreadable');
    };
    await expect(compressed(fails(), 'python3')).rejects.toThrow('unreadable');
  });
});

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveReason } from './archive-failure.ts';
import { readBzip2 } from './bzip2-read.ts';
import { writeBzip2 } from './bzip2-write.ts';
import { compress } from './compress.ts';

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
const ours = (bytes: Buffer): Buffer => Buffer.concat([...writeBzip2([bytes])]);
const python = (program: string, input: Buffer): Buffer =>
  execFileSync('python3', ['-c', `import bz2,sys;sys.stdout.buffer.write(${program}(sys.stdin.buffer.read()))`], {
    input,
    maxBuffer: 2 ** 27,
  });

describe('writeBzip2()', () => {
  it('writeBzip2() is undone by readBzip2() for any bytes, however they are cut (F3, F4)', () => {
    fc.assert(
      fc.property(data, fc.nat(100), (bytes, cut) => {
        const packed = Buffer.concat([...writeBzip2([bytes.subarray(0, cut), bytes.subarray(cut)])]);
        expect(packed.equals(ours(bytes))).toBe(true);
        const pieces = [...packed].map((byte) => Buffer.from([byte]));
        expect(Buffer.concat([...readBzip2(() => pieces.shift())]).equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("writeBzip2() gives the bytes of Python's bz2, over several blocks too (F4)", () => {
    const words = Buffer.from(Array.from({ length: 45_000 }, (_, n) => `line ${n * n} of ${n % 97}\n`).join(''));
    const zeros = Buffer.alloc(1_000_000);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('a'),
      words.subarray(0, 5000),
      words,
      Buffer.concat([words, zeros, words]),
    ]) {
      expect(ours(bytes).equals(python('bz2.compress', bytes))).toBe(true);
    }
  });

  it('writeBzip2() writes blocks that repeat themselves exactly so that others read them', () => {
    const repeated = Buffer.from('hello hello hello world'.repeat(40));
    expect(python('bz2.decompress', ours(repeated)).equals(repeated)).toBe(true);
  });
});

describe('readBzip2()', () => {
  it('readBzip2() refuses every single changed bit that changes what is read (F3)', () => {
    const bytes = Buffer.from('import os\n'.repeat(30));
    const packed = ours(bytes);
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
    const packed = ours(Buffer.from('some text to cut'));
    for (let end = 0; end < packed.length; end++) {
      expect(() => decompress(packed.subarray(0, end))).toThrow(/ends before its compressed data/);
    }
  });

  it('readBzip2() counts what follows the stream and recognises a second one (FW29)', () => {
    const packed = ours(Buffer.from('x'));
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
  const collect = async (options: { python?: string; container?: 'tar.bz2' | 'tar.gz' }): Promise<Buffer> => {
    const parts: Buffer[] = [];
    const { container = 'tar.bz2', ...rest } = options;
    for await (const piece of compress(() => [noise.subarray(0, 100_000), noise.subarray(100_000)], {
      container,
      ...rest,
    }))
      parts.push(piece);
    return Buffer.concat(parts);
  };

  it('compress() gives the same bytes with an interpreter and without (F4)', async () => {
    expect((await collect({ python: 'python3' })).equals(await collect({}))).toBe(true);
  });

  it('compress() does without an interpreter that cannot be started or cannot compress', async () => {
    const expected = await collect({});
    expect((await collect({ python: '/nowhere/python3' })).equals(expected)).toBe(true);
    expect((await collect({ python: '/bin/false' })).equals(expected)).toBe(true);
  });

  it('compress() passes on what making the pieces throws', async () => {
    const fails = function* (): Generator<Buffer> {
      yield noise;
      throw new Error('unreadable');
    };
    const reading = async (): Promise<void> => {
      for await (const piece of compress(fails, { container: 'tar.bz2', python: 'python3' }))
        expect(piece.length).toBeGreaterThan(0);
    };
    await expect(reading()).rejects.toThrow('unreadable');
  });
});

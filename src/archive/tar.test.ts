import path from 'node:path';
import { statSync, utimesSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveReason } from './archive-failure.ts';
import { ByteSource } from './byte-source.ts';
import { fill, scratch } from './scratch.case.ts';
import { BLOCK_BYTES, decodeHeader, encodeHeader } from './tar-header.ts';
import { readTar } from './tar-read.ts';
import { writeTar } from './tar-write.ts';

const temporary = scratch();
const limits = { maxMetadataBytes: 1024 * 1024 };

interface Read {
  readonly name: string;
  readonly content: string;
  readonly mtime: number | undefined;
}

async function readAll(tar: Buffer): Promise<Read[]> {
  const entries: Read[] = [];
  for await (const entry of readTar(new ByteSource(pieces(tar)), limits)) {
    const parts: Buffer[] = [];
    for await (const part of entry.content()) parts.push(part);
    entries.push({ name: entry.name.toString(), content: Buffer.concat(parts).toString('latin1'), mtime: entry.mtime });
  }
  return entries;
}

async function* pieces(tar: Buffer): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < tar.length; at += 700) yield tar.subarray(at, at + 700);
}

function member(name: string, content: Buffer, type = '0'): Buffer {
  const header = encodeHeader({
    ...{ name: Buffer.from(name), mode: 0o100644, uid: 0, gid: 0 },
    size: content.length,
    mtime: 5n,
    type,
    hasDevices: true,
  });
  return Buffer.concat([header, content, Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)]);
}

describe('writeTar()', () => {
  it('writeTar() is undone by readTar() for any names and contents (F3, F4)', async () => {
    const character = fc.constantFrom('a', 'b', '-', '.', 'é', '日', '😀');
    const name = fc
      .array(fc.string({ unit: character, minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'));
    const usable = name.filter((text) => !text.split('/').includes('..') && Buffer.byteLength(text) < 400);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(usable, fc.uint8Array({ maxLength: 1200 })), { maxLength: 5 }),
        async (files) => {
          const directory = temporary();
          const members = files.map(([file, content], index) => {
            fill(directory, { [String(index)]: content });
            return { name: file, path: file, absolute: path.join(directory, String(index)) };
          });
          const read = await readAll(Buffer.concat([...writeTar(members)]));
          expect(read.map(({ name: file, content }) => [file, content])).toEqual(
            files.map(([file, content]) => [file, Buffer.from(content).toString('latin1')]),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('writeTar() never cuts a character at the end of a truncated name (F4)', () => {
    const directory = fill(temporary(), { file: '' });
    for (const tail of ['é', '日', '😀']) {
      for (let length = 95; length <= 100; length++) {
        const name = 'x'.repeat(length) + tail;
        const tar = Buffer.concat([...writeTar([{ name, path: name, absolute: path.join(directory, 'file') }])]);
        const isLong = Buffer.byteLength(name) > 100;
        const stored = decodeHeader(tar.subarray(isLong ? 1024 : 0)).name.toString();
        expect(stored).toBe(isLong ? 'x'.repeat(length) : name);
      }
    }
  });

  it('writeTar() stores whole seconds and full mode bits', async () => {
    const directory = fill(temporary(), { file: 'x' });
    utimesSync(path.join(directory, 'file'), 1_699_999_999.999, 1_699_999_999.999);
    const tar = Buffer.concat([...writeTar([{ name: 'f', path: 'f', absolute: path.join(directory, 'file') }])]);
    expect((await readAll(tar))[0]?.mtime).toBe(1_699_999_999);
    expect(decodeHeader(tar).mode).toBe(statSync(path.join(directory, 'file')).mode);
    expect(tar.length).toBe(512 + 512 + 1024);
  });

  it.each(['/abs', '../up', 'a/../b'])('writeTar() refuses the name %s (F7)', (name) => {
    const directory = fill(temporary(), { file: 'x' });
    expect(() => [...writeTar([{ name, path: name, absolute: path.join(directory, 'file') }])]).toThrow(/stay inside/);
  });

  it('writeTar() refuses what is no regular file', () => {
    expect(() => [...writeTar([{ name: 'd', path: 'd', absolute: temporary() }])]).toThrow(/regular file/);
  });
});

describe('readTar()', () => {
  it('readTar() stops before it reads a description larger than the limit (FW8)', async () => {
    const tar = member('././@LongLink', Buffer.alloc(2 * 1024 * 1024, 'n'), 'L');
    const error: unknown = await readAll(tar).catch((thrown: unknown) => thrown);
    expect(archiveReason(error)).toBe('metadata-limit');
  });

  it('readTar() refuses an archive that is cut inside a header or a member', async () => {
    const tar = member('a', Buffer.from('content'));
    for (let end = 1; end < 512 + 7; end++) {
      const error: unknown = await readAll(tar.subarray(0, end)).catch((thrown: unknown) => thrown);
      expect(archiveReason(error)).toBe(end < 512 ? 'header-cut' : 'member-cut');
    }
  });

  it('readTar() refuses a header with any changed byte in its fields', async () => {
    const tar = member('name', Buffer.from('content'));
    for (let at = 0; at < 345; at++) {
      const changed = Buffer.from(tar);
      changed[at] = changed[at]! ^ 0x01;
      await expect(readAll(changed)).rejects.toThrow();
    }
  });

  it('readTar() fills the holes of a sparse member', async () => {
    const header = encodeHeader({
      ...{ name: Buffer.from('s'), mode: 0o644, uid: 0, gid: 0 },
      size: 4,
      mtime: 5n,
      type: 'S',
      hasDevices: true,
    });
    header.write('00000001000\0' + '00000000004\0', 386, 'latin1');
    header.write('00000002000\0', 483, 'latin1');
    const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
    header.write(`${sum.toString(8).padStart(7, '0')}\0`, 148, 'latin1');
    const [entry] = await readAll(Buffer.concat([header, Buffer.from('data'), Buffer.alloc(508)]));
    expect(entry?.content).toBe('\0'.repeat(512) + 'data' + '\0'.repeat(508));
  });
});

describe('encodeHeader()', () => {
  it('encodeHeader() writes sizes that need more than eleven digits in base 256, and decodeHeader() reads them', () => {
    const fields = { name: Buffer.from('big'), mode: 0o100644, uid: 0, gid: 0, mtime: 0n, type: '0', hasDevices: true };
    for (const size of [0, 8 ** 11 - 1, 8 ** 11, 2 ** 40]) {
      const header = encodeHeader({ ...fields, size });
      expect(decodeHeader(header).size).toBe(size);
      expect((header[124]! & 0x80) !== 0).toBe(size >= 8 ** 11);
    }
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync, crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CharmerError } from '../errors.ts';
import { packPackage } from './pack.ts';
import { fill, scratch } from './scratch.case.ts';
import { unpackPackage, type UnpackOptions } from './unpack.ts';

const temporary = scratch();
const rules = {
  extension: 'zip',
  container: 'zip',
  excludedDirectories: ['.git'],
  signatureFile: 'plugin.sig',
} as const;
const RULED = { rules, manifestFile: 'manifest.yml' };

interface Member {
  readonly name: string | Buffer;
  readonly content?: string;
  /** Unix mode with type bits. */
  readonly mode?: number;
  readonly crc?: number;
  readonly size?: number;
}

/** A zip as somebody else would write it, lies included. */
function zipOf(members: readonly Member[], before = ''): string {
  const parts: Buffer[] = [Buffer.from(before)];
  const index: Buffer[] = [];
  let offset = 0;
  for (const { name: rawName, content = '', mode = 0, crc, size } of members) {
    const name = Buffer.from(rawName);
    const body = deflateRawSync(Buffer.from(content));
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(0x0800, 2);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt16LE(0x21, 8);
    shared.writeUInt32LE(crc ?? crc32(content), 10);
    shared.writeUInt32LE(body.length, 14);
    shared.writeUInt32LE(size ?? Buffer.byteLength(content), 18);
    shared.writeUInt16LE(name.length, 22);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(mode === 0 ? 20 : (3 << 8) | 20, 4);
    shared.copy(central, 6);
    central.writeUInt32LE(mode * 0x10000, 38);
    central.writeUInt32LE(offset, 42);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, name, body]);
    offset += local.length;
    parts.push(local);
    index.push(Buffer.concat([central, name]));
  }
  const directory = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  const file = path.join(temporary(), 'plugin.zip');
  writeFileSync(file, Buffer.concat([...parts, directory, end]));
  return file;
}

const MANIFEST: Member = { name: 'manifest.yml', content: 'id: px\n' };

async function verdict(archive: string, options: Partial<UnpackOptions> = {}): Promise<string> {
  const outer = temporary();
  try {
    const report = await unpackPackage({
      archive,
      destination: path.join(outer, 'plugins'),
      ...RULED,
      name: 'px',
      ...options,
    });
    return `unpacked ${readdirSync(report.directory, { recursive: true }).sort().join(' ')}`;
  } catch (error) {
    if (!(error instanceof CharmerError)) throw error;
    expect(existsSync(path.join(outer, 'plugins')) ? readdirSync(path.join(outer, 'plugins')) : []).toEqual([]);
    expect(readdirSync(outer).filter((name) => name !== 'plugins')).toEqual([]);
    return `${error.code} ${String(error.details?.['reason'])}`;
  }
}

describe('unpackPackage() refuses unsafe zip archives and writes nothing (W21, W27, W43)', () => {
  it.each<readonly [string, readonly Member[], string]>([
    ['a sibling with a longer name', [MANIFEST, { name: '../px-evil/e.py' }], 'ARCHIVE_UNSAFE path-traversal'],
    ['two levels up', [MANIFEST, { name: '../../x' }], 'ARCHIVE_UNSAFE path-traversal'],
    ['an absolute name', [MANIFEST, { name: '/x' }], 'ARCHIVE_UNSAFE absolute-path'],
    ['a drive letter', [MANIFEST, { name: 'C:/x' }], 'ARCHIVE_UNSAFE unsafe-name'],
    ['a backslash', [MANIFEST, { name: '..\\x' }], 'ARCHIVE_UNSAFE unsafe-name'],
    ['a NUL', [MANIFEST, { name: 'a\0b' }], 'ARCHIVE_UNSAFE name-unusable'],
    ['a symlink', [MANIFEST, { name: 'l', content: '/etc/passwd', mode: 0o120777 }], 'ARCHIVE_UNSAFE symlink'],
    ['a wrong checksum', [MANIFEST, { name: 'a', content: 'abc', crc: 1 }], 'ARCHIVE_INVALID checksum-mismatch'],
    ['a size that is too small', [MANIFEST, { name: 'a', content: 'abc', size: 2 }], 'ARCHIVE_INVALID size-mismatch'],
    ['a size that is too large', [MANIFEST, { name: 'a', content: 'abc', size: 9 }], 'ARCHIVE_INVALID size-mismatch'],
    ['no manifest', [{ name: 'main.py' }], 'ARCHIVE_INVALID no-manifest'],
    ['nothing in it', [], 'ARCHIVE_INVALID no-manifest'],
  ])('unpackPackage() refuses a zip with %s', async (_, members, expected) => {
    expect(await verdict(zipOf(members))).toBe(expected);
  });

  it('unpackPackage() refuses a bomb for the size it states (W27)', async () => {
    const bomb = zipOf([MANIFEST, { name: 'zeros', content: '\0'.repeat(60_000_000) }]);
    expect(await verdict(bomb)).toBe('ARCHIVE_TOO_LARGE size-limit');
  });

  it('unpackPackage() refuses what is no zip archive, or a part of one', async () => {
    const whole = readFileSync(zipOf([MANIFEST, { name: 'main.py', content: 'print()' }]));
    const file = path.join(temporary(), 'part.zip');
    for (const end of [0, 10, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, end));
      expect(await verdict(file)).toBe('ARCHIVE_INVALID zip-invalid');
    }
  });

  it('unpackPackage() keeps the older plugin whatever is wrong with the newer (W24)', async () => {
    const destination = temporary();
    const unpack = (archive: string) => unpackPackage({ archive, destination, ...RULED, name: 'px' });
    await unpack(zipOf([MANIFEST, { name: 'lib/old.py', content: 'old' }]));
    for (const bad of [
      zipOf([{ name: 'main.py' }]),
      zipOf([MANIFEST, { name: 'a', content: 'abc', crc: 1 }]),
      zipOf([MANIFEST, { name: '../x' }]),
    ]) {
      await expect(unpack(bad)).rejects.toBeInstanceOf(CharmerError);
      expect(readFileSync(path.join(destination, 'px/lib/old.py'), 'utf8')).toBe('old');
    }
    await unpack(zipOf([MANIFEST, { name: 'lib/new.py' }]));
    expect(readdirSync(path.join(destination, 'px/lib'))).toEqual(['new.py']);
    expect(readdirSync(destination)).toEqual(['px']);
  });
});

describe('unpackPackage() takes ordinary zip archives (W23, W24, W25, W27)', () => {
  it('unpackPackage() takes directory entries (W23)', async () => {
    const archive = zipOf([MANIFEST, { name: 'lib/' }, { name: 'lib/a.py', content: 'x' }, { name: 'empty/' }]);
    expect(await verdict(archive)).toBe('unpacked empty lib lib/a.py manifest.yml');
  });

  it('unpackPackage() takes off one top directory (W24)', async () => {
    const archive = zipOf([
      { name: 'px-1.0/' },
      { name: 'px-1.0/manifest.yml', content: 'id: px\n' },
      { name: 'px-1.0/main.py' },
    ]);
    expect(await verdict(archive)).toBe('unpacked main.py manifest.yml');
  });

  it('unpackPackage() names the directory after the archive when nobody else does', async () => {
    const { name } = await unpackPackage({ archive: zipOf([MANIFEST]), destination: temporary(), ...RULED });
    expect(name).toBe('plugin');
  });

  it('unpackPackage() keeps modes, makes scripts executable and never takes mode 0 for one (W27)', async () => {
    const archive = zipOf([
      MANIFEST,
      { name: 'run', content: 'x', mode: 0o100755 },
      { name: 'main.py', content: '#!/usr/bin/env python3\n' },
      { name: 'other.py', content: 'x' },
      { name: 'setuid', content: 'x', mode: 0o104755 },
    ]);
    const { directory } = await unpackPackage({ archive, destination: temporary(), ...RULED });
    const modes = ['run', 'main.py', 'other.py', 'setuid'].map(
      (name) => statSync(path.join(directory, name)).mode & 0o7777,
    );
    expect(modes).toEqual([0o755, 0o755, 0o644, 0o755]);
  });

  it('unpackPackage() reads what Python and packPackage() write, and Python reads what packPackage() writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-zé日]{1,8}$/), fc.string({ maxLength: 300 }), {
          maxKeys: 5,
          noNullPrototype: true,
        }),
        async (files) => {
          const directory = fill(temporary(), { ...files, 'manifest.yml': 'id: px\n' });
          const output = path.join(temporary(), 'p.zip');
          await packPackage({ directory, rules, name: 'px', version: '1', output });
          const { directory: unpacked } = await unpackPackage({
            archive: output,
            destination: temporary(),
            ...RULED,
            strict: true,
          });
          for (const [name, content] of Object.entries(files))
            expect(readFileSync(path.join(unpacked, name), 'utf8')).toBe(Buffer.from(content).toString());
        },
      ),
      { numRuns: 15 },
    );
    const directory = fill(temporary(), { 'manifest.yml': 'id: px\n', 'lib/é.py': 'x' });
    const output = path.join(temporary(), 'p.zip');
    await packPackage({ directory, rules, name: 'px', version: '1', output });
    expect(execFileSync('python3', ['-m', 'zipfile', '-t', output]).toString()).toContain('Done testing');
    const byPython = path.join(temporary(), 'q.zip');
    execFileSync('python3', [
      '-m',
      'zipfile',
      '-c',
      byPython,
      path.join(directory, 'manifest.yml'),
      path.join(directory, 'lib'),
    ]);
    expect(await verdict(byPython)).toBe('unpacked lib lib/é.py manifest.yml');
  });
});

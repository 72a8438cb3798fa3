import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CharmerError } from '../errors.ts';
import { packPackage } from './pack.ts';
import { bzip2, fill, RULES, scratch } from './scratch.case.ts';
import { BLOCK_BYTES, encodeHeader } from './tar-header.ts';
import { hashFile, unpackPackage, type UnpackOptions } from './unpack.ts';

const temporary = scratch();
const recorded = fileURLToPath(new URL('../../fixtures/conformance/fidius/archives', import.meta.url));
const RULED = { rules: RULES, manifestFile: 'package.toml' };

/** Code and reason of a refusal, or the kinds of what was noticed. */
async function verdict(archive: string, options: Partial<UnpackOptions> = {}): Promise<string | string[]> {
  const destination = path.join(temporary(), 'dest');
  try {
    const { findings } = await unpackPackage({ archive, destination, ...RULED, ...options });
    return findings.map(({ kind }) => kind);
  } catch (error) {
    if (!(error instanceof CharmerError)) throw error;
    expect(existsSync(destination) ? readdirSync(destination) : []).toEqual([]);
    return `${error.code} ${String(error.details?.['reason'])}`;
  }
}

/** An archive of members: name, content, type. In gzip, which is made without another process. */
function archiveOf(members: readonly (readonly [name: string, content?: string, type?: string])[]): string {
  const tar = members.map(([name, content = '', type = '0']) => {
    const body = Buffer.from(content);
    const fields = { mode: 0o100644, uid: 0, gid: 0, size: body.length, mtime: 5n, type, hasDevices: true };
    const padding = Buffer.alloc((BLOCK_BYTES - (body.length % BLOCK_BYTES)) % BLOCK_BYTES);
    return Buffer.concat([encodeHeader({ name: Buffer.from(name), ...fields }), body, padding]);
  });
  const archive = path.join(temporary(), 'a.tar.gz');
  writeFileSync(archive, gzipSync(Buffer.concat([...tar, Buffer.alloc(1024)])));
  return archive;
}

describe('unpackPackage() refuses each hostile archive with a reason of its own (F7, FW8, FW10, FW11)', () => {
  it.each<readonly [string, string]>([
    ...[
      'traversal',
      'traversal-inside',
      'traversal-first',
      'traversal-pax',
      'traversal-longname',
      'traversal-late',
    ].map((id) => [id, 'ARCHIVE_UNSAFE path-traversal'] as const),
    ...['absolute', 'absolute-pax', 'double-slash'].map((id) => [id, 'ARCHIVE_UNSAFE absolute-path'] as const),
    ...['symlink', 'symlink-then-file', 'symlink-and-traversal', 'gnu-long-link'].map(
      (id) => [id, 'ARCHIVE_UNSAFE symlink'] as const,
    ),
    ...['hardlink', 'hardlink-absolute'].map((id) => [id, 'ARCHIVE_UNSAFE hardlink'] as const),
    ...['nul-in-pax-path', 'long-component'].map((id) => [id, 'ARCHIVE_UNSAFE name-unusable'] as const),
    ...['declared-too-large', 'declared-at-limit', 'gnu-base256-size'].map(
      (id) => [id, 'ARCHIVE_TOO_LARGE size-limit'] as const,
    ),
    ['entries-10001', 'ARCHIVE_TOO_LARGE entry-limit'],
    ['negative-size', 'ARCHIVE_INVALID size-out-of-range'],
    ['bad-size-octal', 'ARCHIVE_INVALID size-not-a-number'],
    ['bad-checksum', 'ARCHIVE_INVALID header-checksum'],
    ['truncated-member', 'ARCHIVE_INVALID member-cut'],
    ...['truncated-bzip2', 'empty-file'].map((id) => [id, 'ARCHIVE_INVALID stream-cut'] as const),
    ...['corrupt-bzip2', 'bzip2-magic-garbage'].map((id) => [id, 'ARCHIVE_INVALID stream-invalid'] as const),
    ...['garbage', 'plain-tar', 'gzip'].map((id) => [id, 'ARCHIVE_INVALID no-stream-magic'] as const),
    ['bzip2-of-text', 'ARCHIVE_INVALID header-cut'],
    ['file-as-directory', 'ARCHIVE_INVALID file-and-directory'],
    ['dangling-longname', 'ARCHIVE_INVALID long-name-without-member'],
    ['two-longnames', 'ARCHIVE_INVALID two-long-names'],
    ['two-packages', 'ARCHIVE_INVALID several-packages'],
    ...['no-manifest', 'manifest-at-root', 'manifest-too-deep', 'empty-archive'].map(
      (id) => [id, 'ARCHIVE_INVALID no-manifest'] as const,
    ),
  ])('unpackPackage() refuses %s: %s', async (id, expected) => {
    expect(await verdict(path.join(recorded, 'hostile', `${id}.fid`))).toBe(expected);
  });
});

describe('unpackPackage() unpacks oddities, says what is odd, and refuses them when strict (F3, FW10, FW11, FW29)', () => {
  it.each<readonly [string, readonly string[]]>([
    ['ok-duplicate', ['repeated-entry']],
    ['ok-case-fold', ['clashing-names']],
    ['ok-not-utf8-name', ['not-utf8']],
    ...['ok-data-after-end', 'ok-trailing-garbage', 'two-streams'].map((id) => [id, ['bytes-after-end']] as const),
    ...['fifo', 'char-device', 'block-device', 'unknown-type'].map((id) => [id, ['special-file']] as const),
    ['backslash-path', ['backslash', 'outside-package']],
    ['drive-path', ['drive', 'outside-package']],
    ['two-tops-one-package', ['outside-package']],
    ['manifest-is-directory', ['manifest-is-directory']],
    ...['pax-size-lie', 'pax-size-smaller', 'pax-size-zero'].map((id) => [id, ['size-override']] as const),
  ])('unpackPackage() accepts %s with %j', async (id, kinds) => {
    const archive = path.join(recorded, 'hostile', `${id}.fid`);
    expect(await verdict(archive)).toEqual(kinds);
    expect(await verdict(archive, { strict: true })).toBe('ARCHIVE_UNSAFE strict-finding');
  });

  it.each(['ok-plain', 'ok-ustar', 'ok-v7', 'ok-pax-path', 'ok-pax-global', 'ok-longname', 'ok-level-1', 'sparse-gnu'])(
    'unpackPackage() finds nothing odd in %s',
    async (id) => {
      expect(await verdict(path.join(recorded, 'hostile', `${id}.fid`), { strict: true })).toEqual([]);
    },
  );

  it('unpackPackage() accepts an archive whose last four bytes are missing, and refuses a wrong checksum there (FW29)', async () => {
    const whole = readFileSync(path.join(recorded, 'greeter.signed.fid'));
    const cut = path.join(temporary(), 'cut.fid');
    writeFileSync(cut, whole.subarray(0, -4));
    expect(await verdict(cut)).toEqual(['bytes-after-end']);
    expect(await verdict(cut, { compat: true })).toEqual([]);
    whole[whole.length - 2] = whole[whole.length - 2]! ^ 0xff;
    writeFileSync(cut, whole);
    expect(await verdict(cut)).toBe('ARCHIVE_INVALID stream-invalid');
  });
});

describe('unpackPackage() counts what is really there (F7, FW8, FW9)', () => {
  const small = path.join(recorded, 'hostile', 'ratio-plus-one.fid');

  it('unpackPackage() lets small repetitive packages pass, and takes limits from its caller (FW9)', async () => {
    expect(await verdict(small)).toEqual([]);
    expect(await verdict(small, { compat: true })).toBe('ARCHIVE_TOO_LARGE size-limit');
    expect(await verdict(small, { compat: true, limits: { maxRatio: 0 } })).toEqual([]);
    expect(await verdict(small, { limits: { ratioFloorBytes: 0 } })).toBe('ARCHIVE_TOO_LARGE size-limit');
    expect(
      await verdict(path.join(recorded, 'hostile', 'ratio-exact.fid'), { limits: { ratioFloorBytes: 0 } }),
    ).toEqual([]);
    expect(await verdict(small, { limits: { maxEntries: 1 } })).toBe('ARCHIVE_TOO_LARGE entry-limit');
    expect(await verdict(small, { limits: { maxBytes: 2660 } })).toBe('ARCHIVE_TOO_LARGE size-limit');
  });

  it('unpackPackage() is not deceived by a PAX size, as the original is (FW8)', async () => {
    const lie = path.join(recorded, 'hostile', 'pax-size-lie.fid');
    expect(await verdict(lie, { compat: true })).toEqual(['size-override']);
    expect(await verdict(lie, { limits: { ratioFloorBytes: 0 } })).toBe('ARCHIVE_TOO_LARGE size-limit');
  });

  it('unpackPackage() stops reading a bomb at the limit of the stream', async () => {
    const archive = path.join(temporary(), 'bomb.fid');
    const megabyte = Buffer.alloc(1024 * 1024);
    const fields = { mode: 0o644, uid: 0, gid: 0, mtime: 0n, type: 'L', hasDevices: false, size: 900_000 };
    const long = Buffer.concat([
      encodeHeader({ name: Buffer.from('././@LongLink'), ...fields }),
      megabyte.subarray(0, 900_096),
    ]);
    const entry = encodeHeader({ ...fields, name: Buffer.from('x'), type: '0', size: 0 });
    writeFileSync(archive, bzip2(long, entry, long, entry, long, entry));
    const limits = { maxBytes: 1000, maxEntries: 10, maxMetadataBytes: 1_000_000 };
    expect(await verdict(archive, { limits })).toMatch(/ARCHIVE_(?:TOO_LARGE size-limit|UNSAFE name-unusable)/);
  });
});

describe('unpackPackage() replaces a package as a whole or not at all (F8, FW10)', () => {
  const archive = path.join(recorded, 'greeter.signed.fid');

  it('unpackPackage() removes files of an older package and leaves no staging directory', async () => {
    const destination = fill(temporary(), { 'greeter-0.1.0/stale.py': 'x', 'other/keep.txt': 'x' });
    const { directory } = await unpackPackage({ archive, destination, ...RULED });
    expect(readdirSync(directory).sort()).toEqual(['greeter.py', 'package.sig', 'package.toml']);
    expect(readdirSync(destination).sort()).toEqual(['greeter-0.1.0', 'other']);
    expect(Math.floor(statSync(path.join(directory, 'greeter.py')).mtimeMs / 1000)).toBe(1_700_000_000);
  });

  it('unpackPackage() keeps the older package when the new one is refused at the last moment', async () => {
    const destination = fill(temporary(), { 'greeter-0.1.0/old.py': 'x' });
    const accept = (staged: string): never => {
      expect(existsSync(path.join(staged, 'package.toml'))).toBe(true);
      throw new Error('not this one');
    };
    await expect(unpackPackage({ archive, destination, ...RULED, accept })).rejects.toThrow('not this one');
    expect(readdirSync(destination)).toEqual(['greeter-0.1.0']);
    expect(readdirSync(path.join(destination, 'greeter-0.1.0'))).toEqual(['old.py']);
  });

  it('unpackPackage() refuses when a file is in the way', async () => {
    const destination = fill(temporary(), { 'greeter-0.1.0': 'a file' });
    await expect(unpackPackage({ archive, destination, ...RULED })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      details: { reason: 'cannot-place' },
    });
    expect(readdirSync(destination)).toEqual(['greeter-0.1.0']);
  });

  it('unpackPackage() says when the directory is not named as the package wants, and takes another name (FW10)', async () => {
    const destination = temporary();
    const report = await unpackPackage({ archive, destination, ...RULED, name: 'exact', accept: () => 'greeter-9' });
    expect(report.findings.map(({ kind }) => kind)).toEqual(['name-mismatch']);
    expect(readdirSync(destination)).toEqual(['exact']);
  });

  it('unpackPackage() reports its progress and stops when asked to', async () => {
    const phases: string[] = [];
    const controller = new AbortController();
    const reason = new Error('enough');
    const destination = path.join(temporary(), 'dest');
    const onProgress = ({ phase, entries }: { phase: string; entries: number }): void => {
      phases.push(`${phase} ${entries}`);
      if (phase === 'writing') controller.abort(reason);
    };
    await expect(unpackPackage({ archive, destination, ...RULED, onProgress, signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(phases).toEqual(['checking 1', 'checking 2', 'checking 3', 'writing 1']);
    expect(readdirSync(destination)).toEqual([]);
  });

  it('unpackPackage() compares the digest of the archive in either case (W27)', async () => {
    const sha256 = (await hashFile(archive)).toUpperCase();
    await unpackPackage({ archive, destination: temporary(), ...RULED, sha256 });
    const destination = path.join(temporary(), 'dest');
    await expect(unpackPackage({ archive, destination, ...RULED, sha256: '00' })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(existsSync(destination)).toBe(false);
  });
});

describe('unpackPackage() writes inside its destination only', () => {
  it('unpackPackage() stays inside for any names whatever (F7, FW11)', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'p',
      'a',
      'A',
      '/',
      '\\',
      'C:',
      'é',
      'e\u0301',
      'nul',
      'package.toml',
      ' ',
      '\n',
    );
    const name = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
    const type = fc.constantFrom('0', '5', '1', '2', '6', '3', 'g', '7', '\0');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, fc.constant('content'), type), { maxLength: 6 }), async (members) => {
        const archive = archiveOf([['p/package.toml', 'x'], ...members]);
        const outer = temporary();
        mkdirSync(path.join(outer, 'dest'));
        const rules = { container: 'tar.gz' } as const;
        const options = { archive, destination: path.join(outer, 'dest'), ...RULED, rules };
        const report = await unpackPackage(options).catch((error: unknown) => {
          expect(error).toBeInstanceOf(CharmerError);
          return undefined;
        });
        expect(readdirSync(outer)).toEqual(['dest']);
        expect(readdirSync(path.join(outer, 'dest'))).toEqual(report === undefined ? [] : ['p']);
      }),
      { numRuns: 60 },
    );
  });
});

describe('unpackPackage() and packPackage() take gzip too', () => {
  it('packPackage() with a gzip container is undone by unpackPackage() and read by tar', async () => {
    const rules = { ...RULES, container: 'tar.gz', extension: 'tar.gz' } as const;
    const directory = fill(temporary(), { 'package.toml': 'x', 'a/b.py': 'y' });
    const output = path.join(temporary(), 'a.tar.gz');
    await packPackage({ directory, rules, name: 'p', version: '1', output });
    expect(execFileSync('tar', ['tzf', output]).toString()).toBe('p-1/a/b.py\np-1/package.toml\n');
    const { directory: unpacked } = await unpackPackage({
      archive: output,
      destination: temporary(),
      rules,
      manifestFile: 'package.toml',
    });
    expect(readFileSync(path.join(unpacked, 'a/b.py'), 'utf8')).toBe('y');
    const cut = path.join(temporary(), 'cut.tar.gz');
    writeFileSync(cut, readFileSync(output).subarray(0, 60));
    expect(await verdict(cut, { rules })).toBe('ARCHIVE_INVALID stream-cut');
  });
});

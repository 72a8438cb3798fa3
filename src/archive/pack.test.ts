import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSafeComponent } from './entry-name.ts';
import { packPackage, type PackOptions } from './pack.ts';
import { fill, RULES, scratch } from './scratch.case.ts';
import { unpackPackage } from './unpack.ts';

const temporary = scratch();
const NAMED = { rules: RULES, name: 'p', version: '1', python: 'python3' };

function options(directory: string, more: Partial<PackOptions> = {}): PackOptions {
  return { directory, ...NAMED, output: path.join(temporary(), 'a.fid'), ...more };
}

describe('packPackage() leaves out what does not belong in a package (FW5, FW12)', () => {
  const messy = {
    'package.toml': 'x',
    'm.py': 'x',
    '__pycache__/m.cpython-311.pyc': 'x',
    'sub/__pycache__/n.pyc': 'x',
    '.venv/bin/python': 'x',
    'old-1.fid': 'x',
    'sub/kept.fid': 'x',
    '.DS_Store': 'x',
    'notes.txt~': 'x',
    '.env.example': 'x',
    'target/built': 'x',
    'vendor/dep/target/__init__.py': 'x',
  };

  it('packPackage() packs sources, reports what it left out and warns of excluded directories (FW5)', async () => {
    const report = await packPackage(options(fill(temporary(), messy)));
    expect(report.files).toEqual(['.env.example', 'm.py', 'package.toml', 'sub/kept.fid']);
    expect(report.leftOut).toEqual([
      '.DS_Store',
      '.venv/bin/python',
      '__pycache__/m.cpython-311.pyc',
      'notes.txt~',
      'old-1.fid',
      'sub/__pycache__/n.pyc',
    ]);
    expect(report.findings.map(({ file }) => file).sort()).toEqual(['target', 'vendor/dep/target']);
  });

  it('packPackage() packs all of it with compat, except target and .git (F6)', async () => {
    const report = await packPackage(
      options(fill(temporary(), { ...messy, '.env': 'x', 'k.secret': 'x' }), { compat: true }),
    );
    expect(report.files).toHaveLength(12);
    expect(report.files).toContain('k.secret');
    expect(report.leftOut).toEqual([]);
  });

  it.each(['k.secret', '.env', 'sub/.env.production', 'id_ed25519'])(
    'packPackage() refuses the secret file %s',
    async (name) => {
      const request = options(fill(temporary(), { 'package.toml': 'x', [name]: 'x' }));
      await expect(packPackage(request)).rejects.toMatchObject({
        code: 'ARCHIVE_UNSAFE',
        details: { reason: 'secret-file' },
      });
      expect(readdirSync(path.dirname(request.output ?? ''))).toEqual([]);
    },
  );

  it('packPackage() refuses links out of the package and follows links inside it', async () => {
    const directory = fill(temporary(), { 'package.toml': 'x', 'real.txt': 'content' });
    symlinkSync('real.txt', path.join(directory, 'link.txt'));
    expect((await packPackage(options(directory))).files).toEqual(['link.txt', 'package.toml', 'real.txt']);
    symlinkSync('/etc/hostname', path.join(directory, 'out.txt'));
    await expect(packPackage(options(directory))).rejects.toMatchObject({ details: { reason: 'escaping-link' } });
  });

  it('packPackage() refuses to break a signature that covers what it leaves out (FW6)', async () => {
    const directory = fill(temporary(), { 'package.toml': 'x', 'package.sig': 's', '__pycache__/m.pyc': 'x' });
    await expect(packPackage(options(directory))).rejects.toMatchObject({
      details: { reason: 'signature-covers-left-out', files: ['__pycache__/m.pyc'] },
    });
    const unaffected = fill(temporary(), { 'package.toml': 'x', 'package.sig': 's' });
    expect((await packPackage(options(unaffected))).isSigned).toBe(true);
  });
});

describe('packPackage() writes its output whole or not at all', () => {
  it('packPackage() keeps an older archive when it fails, and does not pack its own output (FW12)', async () => {
    const directory = fill(temporary(), { 'package.toml': 'x' });
    const output = path.join(directory, 'p-1.fid');
    await packPackage(options(directory, { output }));
    const first = readFileSync(output);
    await packPackage(options(directory, { output }));
    expect(readFileSync(output).equals(first)).toBe(true);
    symlinkSync('nowhere', path.join(directory, 'broken'));
    await expect(packPackage(options(directory, { output }))).rejects.toMatchObject({
      details: { reason: 'cannot-add', entry: 'broken' },
    });
    expect(readFileSync(output).equals(first)).toBe(true);
    expect(readdirSync(directory).sort()).toEqual(['broken', 'p-1.fid', 'package.toml']);
  });

  it('packPackage() stops when asked to and leaves nothing', async () => {
    const request = options(fill(temporary(), { 'package.toml': 'x', b: 'x' }));
    const controller = new AbortController();
    const seen: string[] = [];
    const onProgress = ({ file }: { file: string }): void => {
      seen.push(file);
      controller.abort(new Error('enough'));
    };
    await expect(packPackage({ ...request, onProgress, signal: controller.signal })).rejects.toThrow('enough');
    expect(seen).toEqual(['b']);
    expect(existsSync(request.output ?? '')).toBe(false);
  });

  it.each(['a/b', '..', '', '/abs', 'nul', 'NUL.txt', 'a\0b', 'com1', 'x.', 'a\\b', 'C:x', 'a:b', '.'])(
    'packPackage() refuses the name %j (FW13)',
    async (name) => {
      const request = options(fill(temporary(), { 'package.toml': 'x' }), { name });
      expect(isSafeComponent(name)).toBe(false);
      await expect(packPackage(request)).rejects.toMatchObject({
        code: 'ARCHIVE_UNSAFE',
        details: { reason: 'unsafe-name' },
      });
      await expect(packPackage({ ...request, name: 'p', version: name })).rejects.toMatchObject({
        details: { reason: 'unsafe-name' },
      });
    },
  );

  it('packPackage() makes an archive that unpackPackage() finds nothing odd in', async () => {
    const directory = fill(temporary(), { 'package.toml': 'x', [`${'long/'.repeat(30)}é日😀.py`]: 'y', empty: '' });
    const request = options(directory);
    await packPackage(request);
    const report = await unpackPackage({
      archive: request.output ?? '',
      destination: temporary(),
      rules: RULES,
      manifestFile: 'package.toml',
      strict: true,
    });
    expect(readFileSync(path.join(report.directory, `${'long/'.repeat(30)}é日😀.py`), 'utf8')).toBe('y');
    writeFileSync(path.join(directory, 'package.toml'), 'changed');
  });
});

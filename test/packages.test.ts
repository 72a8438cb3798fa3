import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  check,
  clientTypes,
  digest,
  findPython,
  formats,
  init,
  interfaceHash,
  keygen,
  pack,
  pythonStub,
  sign,
  unpack,
  verify,
  type PackageProgress,
} from '../src/index.ts';
import { makeWheel } from '../src/provision/test-wheel.case.ts';
import { charmer } from './command-line.ts';
import { root, temporaryDirectory, testHost } from './test-host.ts';

const names = formats.map(({ name }) => name);
const recorded = join(root, 'fixtures/conformance/fidius');

/** A directory with a command `charmer` in it, as an installed package has. */
function commandDirectory(): string {
  const directory = temporaryDirectory();
  const file = join(directory, 'charmer');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`);
  chmodSync(file, 0o755);
  return directory;
}

const shellEnvironment = {
  ...process.env,
  PATH: `${commandDirectory()}${delimiter}${process.env['PATH'] ?? ''}`,
  XDG_CACHE_HOME: temporaryDirectory(),
  NO_COLOR: '1',
  PYTHONDONTWRITEBYTECODE: '1',
};

/** Runs lines as a reader would type them; throws with their output when one fails. */
function shell(lines: string, cwd: string): string {
  return execFileSync('/bin/sh', ['-euc', lines], { cwd, env: shellEnvironment, encoding: 'utf8', stdio: 'pipe' });
}

/** A bzip2 tarball by Python's own writer, its top directory called `top`. */
function writeTarball(directory: string, file: string, top: string): void {
  const program =
    "import sys, tarfile\nwith tarfile.open(sys.argv[2], 'w:bz2') as tar: tar.add(sys.argv[1], sys.argv[3])";
  execFileSync('python3', ['-c', program, directory, file, top]);
}

describe('init()', () => {
  it.each(names)('init() begins a plugin of the format %s that runs, with a test that passes', async (format) => {
    const parent = temporaryDirectory();
    const { directory, files, commands } = await init('my-first-plugin', { format, parent });
    expect(readdirSync(directory).sort()).toEqual([...files].sort());
    expect(files.some((file) => file.startsWith('test_'))).toBe(true);
    const text = files.map((file) => readFileSync(join(directory, file), 'utf8')).join('\n');
    expect(text).not.toMatch(/plugin.?template/i);
    expect(await check(directory)).toEqual([]);
    expect(commands.at(-1)).toContain('unittest');
    for (const command of commands) shell(command, directory);
    expect(readdirSync(parent)).toEqual(['my-first-plugin']);
  });

  it('init() writes the hash of its own interface into its module', async () => {
    const { directory } = await init('my-greeter', { format: 'fidius', parent: temporaryDirectory() });
    const { a, b, refusals } = await interfaceHash(readFileSync(join(directory, 'interface.rs'), 'utf8'));
    expect([a.hash, refusals]).toEqual([b.hash, []]);
    expect(readFileSync(join(directory, 'my_greeter.py'), 'utf8').toLowerCase()).toContain(a.hash);
  });

  it.each(['', 'My-Plugin', '-x', 'a--b', 'a_b', '../x', 'json', 'class', 'fidius', '1st'])(
    'init() refuses the name %j',
    async (name) => {
      const parent = temporaryDirectory();
      await expect(init(name, { format: 'fidius', parent })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
      expect(readdirSync(parent)).toEqual([]);
    },
  );

  it('init() refuses a directory that is there, and a format that is none', async () => {
    const parent = temporaryDirectory();
    mkdirSync(join(parent, 'there'));
    await expect(init('there', { format: 'obscura', parent })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(readdirSync(join(parent, 'there'))).toEqual([]);
    await expect(init('other', { format: 'obscra', parent })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      hint: "Did you mean 'obscura'?",
    });
  });
});

describe('pack() and unpack()', () => {
  it.each(names)('pack() and unpack() bring a plugin of the format %s back as it was', async (format) => {
    const { directory } = await init('travels', { format, parent: temporaryDirectory() });
    const keys = await keygen(join(temporaryDirectory(), 'key'));
    await sign(directory, { key: keys.secret });
    const output = join(temporaryDirectory(), 'travels.archive');
    const progress: PackageProgress[] = [];
    const packed = await pack(directory, { output, onProgress: (each) => progress.push(each) });
    expect(packed).toMatchObject({ id: 'travels', version: '0.1.0', format, isSigned: true, leftOut: [] });
    expect(progress.map(({ phase }) => phase)).toEqual(packed.files.map(() => 'packing'));
    expect(await check(output)).toEqual([]);
    expect(await digest(output)).toEqual(await digest(directory));
    expect(await verify(output, { keys: [keys.public] })).toMatchObject({ kind: 'package', state: 'valid' });
    const destination = temporaryDirectory();
    const unpacked = await unpack(output, { destination, strict: true });
    expect(unpacked).toMatchObject({ format, findings: [], entries: packed.files.length });
    expect(await digest(unpacked.directory)).toEqual(await digest(directory));
    const plugin = await testHost().load(unpacked.directory);
    expect(plugin.spec.id).toBe('travels');
  });

  it('pack() names the archive after the manifest, extension included (F5)', async () => {
    const cwd = temporaryDirectory();
    const { stdout } = await charmer(['pack', join(recorded, 'packages/custom-extension'), '--json'], { cwd });
    const { archive, isSigned } = JSON.parse(stdout) as { archive: string; isSigned: boolean };
    expect([archive, isSigned]).toEqual(['custom-extension-2.0.0-rc.1.plug', false]);
    expect(readdirSync(cwd)).toEqual([archive]);
  });

  it('pack() refuses names that are no file names, and secrets, and writes nothing (FW12, FW13)', async () => {
    const { directory } = await init('named', { format: 'fidius', parent: temporaryDirectory() });
    const manifest = join(directory, 'package.toml');
    const text = readFileSync(manifest, 'utf8');
    const output = join(temporaryDirectory(), 'x.fid');
    for (const name of ['a/b', '../x', 'nul', 'a\\u0000b']) {
      writeFileSync(manifest, text.replace('"named"', `"${name}"`));
      await expect(pack(directory, { output })).rejects.toMatchObject({ code: 'ARCHIVE_UNSAFE' });
    }
    writeFileSync(manifest, text);
    writeFileSync(join(directory, 'alice.secret'), 'x');
    await expect(pack(directory, { output })).rejects.toMatchObject({
      code: 'ARCHIVE_UNSAFE',
      details: { reason: 'secret-file' },
    });
    expect(existsSync(output)).toBe(false);
    expect((await pack(directory, { output, compat: true })).files).toContain('alice.secret');
  });

  it('pack() installs requirements first, says so, and notices when they are stale (F9, FW26)', async () => {
    const { directory } = await init('vendors', { format: 'fidius', parent: temporaryDirectory() });
    const wheels = temporaryDirectory();
    const python = await findPython();
    makeWheel(python, wheels, { name: 'tiny', version: '1.0' });
    makeWheel(python, wheels, { name: 'tiny', version: '2.0' });
    const requirements = (version: string): void =>
      writeFileSync(join(directory, 'requirements.txt'), `--no-index\n--find-links ${wheels}\ntiny==${version}\n`);
    const output = join(temporaryDirectory(), 'x.fid');
    const told: string[] = [];
    requirements('1.0');
    const first = await pack(directory, { output, python, onProgress: ({ message }) => told.push(message) });
    expect(first.vendored).toMatchObject({ state: 'installed' });
    expect(told[0]).toContain('--only-binary :all:');
    expect(first.files).toContain('vendor/tiny/__init__.py');
    expect(first.files.filter((file) => file.endsWith('.pyc'))).toEqual([]);
    requirements('2.0');
    const stale = await pack(directory, { output, python });
    expect(stale.vendored.state).toBe('present');
    expect(stale.findings).toMatchObject([{ severity: 'warning', kind: 'stale-vendor' }]);
    const fresh = await pack(directory, { output, python, refresh: true });
    expect([fresh.vendored.state, fresh.findings]).toEqual(['installed', []]);
    expect(readFileSync(join(directory, 'vendor/tiny/__init__.py'), 'utf8')).toContain('2.0');
  });

  it('pack() says that a signature no longer fits when requirements came after it', async () => {
    const { directory } = await init('vendors', { format: 'fidius', parent: temporaryDirectory() });
    const wheels = temporaryDirectory();
    makeWheel(await findPython(), wheels, { name: 'tiny', version: '1.0' });
    writeFileSync(join(directory, 'requirements.txt'), `--no-index\n--find-links ${wheels}\ntiny\n`);
    const keys = await keygen(join(temporaryDirectory(), 'key'));
    await sign(directory, { key: keys.secret });
    const { findings } = await pack(directory, { output: join(temporaryDirectory(), 'x.fid') });
    expect(findings).toMatchObject([{ kind: 'stale-signature' }]);
    expect((await verify(directory, { keys: [keys.public] })).state).toBe('invalid');
  });

  it('unpack() tells when a directory is not named as its manifest says, and refuses when strict (FW10)', async () => {
    const { directory } = await init('renamed', { format: 'fidius', parent: temporaryDirectory() });
    const output = join(temporaryDirectory(), 'x.fid');
    await pack(directory, { output });
    const { directory: unpacked } = await unpack(output, { destination: temporaryDirectory() });
    expect(basename(unpacked)).toBe('renamed-0.1.0');
    const tarred = join(temporaryDirectory(), 'other.fid');
    writeTarball(directory, tarred, 'other');
    const { findings, directory: other } = await unpack(tarred, { destination: temporaryDirectory() });
    expect([basename(other), findings.map(({ file }) => file)]).toEqual(['other', ['other']]);
    await expect(unpack(tarred, { destination: temporaryDirectory(), strict: true })).rejects.toMatchObject({
      code: 'ARCHIVE_UNSAFE',
      message: expect.stringContaining("expected 'renamed-0.1.0'") as string,
    });
  });

  it('unpack() keeps a package whose manifest it cannot read, with a finding, and refuses it when strict', async () => {
    const { directory } = await init('unreadable', { format: 'fidius', parent: temporaryDirectory() });
    writeFileSync(join(directory, 'package.toml'), 'no toml');
    const tarred = join(temporaryDirectory(), 'x.fid');
    writeTarball(directory, tarred, 'x');
    const { findings } = await unpack(tarred, { destination: temporaryDirectory() });
    expect(findings).toMatchObject([{ severity: 'warning', file: 'package.toml' }]);
    const destination = temporaryDirectory();
    await expect(unpack(tarred, { destination, strict: true })).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(readdirSync(destination)).toEqual([]);
  });

  it.each(['traversal', 'symlink', 'declared-too-large', 'garbage'])(
    'unpack() refuses the hostile archive %s, and charmer unpack exits with a code that says why (F7)',
    async (id) => {
      const archive = join(recorded, `archives/hostile/${id}.fid`);
      const destination = temporaryDirectory();
      const code = await unpack(archive, { destination }).then(
        () => 'unpacked',
        (error: { code: string }) => error.code,
      );
      expect(code).toMatch(/^ARCHIVE_/);
      const run = await charmer(['unpack', archive, '--dest', destination, '--json']);
      expect(run.code).toBe(code === 'ARCHIVE_UNSAFE' ? 3 : 4);
      expect(JSON.parse(run.stderr)).toMatchObject({ error: { code } });
      expect(readdirSync(destination)).toEqual([]);
    },
  );

  it('unpack() takes limits from its caller', async () => {
    const archive = join(recorded, 'archives/greeter.signed.fid');
    const limits = { maxEntries: 1 };
    const destination = temporaryDirectory();
    await expect(unpack(archive, { destination, limits })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
    expect(await charmer(['unpack', archive, '--dest', destination, '--max-entries', '1'])).toMatchObject({ code: 4 });
    const sha256 = '00';
    await expect(unpack(archive, { destination, sha256 })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(readdirSync(destination)).toEqual([]);
  });
});

describe('keygen(), sign(), verify() and digest()', () => {
  it('keygen() writes a secret for its owner only and never over another (F10, FW14)', async () => {
    const base = join(temporaryDirectory(), 'key');
    const keys = await keygen(base);
    expect(statSync(keys.secret).mode & 0o777).toBe(0o600);
    expect(readFileSync(keys.public).toString('hex')).toBe(keys.key);
    await expect(keygen(base)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', details: { reason: 'key-exists' } });
    expect(readFileSync(keys.public).toString('hex')).toBe(keys.key);
    expect((await keygen(base, { compat: true })).key).not.toBe(keys.key);
    await expect(keygen('/nowhere/at/all')).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      path: '/nowhere/at/all',
    });
  });

  it('sign() and verify() agree with what the real tool recorded (F12, F37)', async () => {
    const archive = join(recorded, 'archives/greeter.signed.fid');
    const alice = join(recorded, 'keys/alice.public');
    expect(await verify(archive, { keys: [alice] })).toMatchObject({ state: 'valid', kind: 'package' });
    expect((await verify(archive, { keys: [readFileSync(join(recorded, 'keys/bob.public'))] })).state).toBe('invalid');
    expect((await verify(archive)).state).toBe('untrusted');
    const unsigned = join(recorded, 'archives/greeter.unsigned.fid');
    expect(await verify(unsigned, { keys: [alice] })).toMatchObject({
      state: 'unsigned',
      digest: expect.any(String) as string,
    });
  });

  it('sign() and verify() take any other file, whose signature is beside it (F13)', async () => {
    const file = join(temporaryDirectory(), 'model.bin');
    writeFileSync(file, 'weights');
    const keys = await keygen(join(temporaryDirectory(), 'key'));
    expect(await sign(file, { key: readFileSync(keys.secret) })).toMatchObject({
      kind: 'file',
      signatureFile: `${file}.sig`,
    });
    expect(await verify(file, { keys: [keys.public] })).toMatchObject({
      kind: 'file',
      state: 'valid',
      signedBy: keys.key,
    });
    writeFileSync(file, 'other weights');
    expect((await verify(file, { keys: [keys.public] })).state).toBe('invalid');
    writeFileSync(`${file}.sig`, 'short');
    expect((await verify(file, { keys: [keys.public] })).state).toBe('invalid');
  });

  it('verify() changes nothing and runs nothing, and a tree that cannot be read is an error of its own', async () => {
    const { directory } = await init('broken', { format: 'fidius', parent: temporaryDirectory() });
    const keys = await keygen(join(temporaryDirectory(), 'key'));
    await sign(directory, { key: keys.secret });
    symlinkSync('nowhere', join(directory, 'broken'));
    expect((await verify(directory, { keys: [keys.public] })).state).toBe('error');
    await expect(digest(directory)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID', path: directory });
    await expect(sign(directory, { key: keys.secret })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('sign() and verify() name the key that cannot be used', async () => {
    const { directory } = await init('unsigned', { format: 'fidius', parent: temporaryDirectory() });
    const short = join(temporaryDirectory(), 'short');
    writeFileSync(short, 'x');
    for (const key of ['/nowhere/key', short]) {
      await expect(sign(directory, { key })).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
      await expect(verify(directory, { keys: [key] })).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    }
    await expect(sign('/nowhere', { key: short })).rejects.toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
  });

  it('digest() is what was recorded for the same files (F11)', async () => {
    const { packages } = JSON.parse(readFileSync(join(recorded, 'digests.json'), 'utf8')) as {
      packages: readonly { id: string; digest: { ok: string } }[];
    };
    const wanted = packages.find(({ id }) => id === 'greeter')?.digest.ok;
    expect((await digest(join(recorded, 'archives/greeter.unsigned.fid'))).digest).toBe(wanted);
  });
});

describe('interfaceHash(), pythonStub() and clientTypes()', () => {
  const source = `#[plugin_interface(version = 1, buffer = PluginAllocated)]
pub trait Reader: Send + Sync { fn read(&self, path: String) -> Result<String, PluginError>; }
#[plugin_interface(version = 1, buffer = PluginAllocated)]
pub trait Other: Send + Sync { fn ping(&self); }
`;

  it('interfaceHash() gives both hashes and the texts behind them (F16, F17, FW1)', async () => {
    const { a, b } = await interfaceHash(source, { trait: 'Reader' });
    expect(a).toEqual({ canonical: 'read:String->Result < String, PluginError >', hash: '0x386a91c563240020' });
    expect(b).toEqual({ canonical: 'read:String->Result < String , PluginError >', hash: '0x7528a14070146796' });
    await expect(interfaceHash(source)).rejects.toMatchObject({ code: 'INTERFACE_SOURCE_INVALID' });
  });

  it('charmer hash, stub and types read --interface, choose a --trait and write --out whole', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'lib.rs'), source);
    const of = (...words: string[]) => charmer([...words, '--interface', 'lib.rs', '--trait', 'Reader'], { cwd });
    expect((await of('hash')).stdout).toMatch(/^A {2}0x386a91c563240020 .*\nB {2}0x7528a14070146796 /);
    expect((await of('stub', '--out', 'reader.py')).stdout).toBe('');
    expect(readFileSync(join(cwd, 'reader.py'), 'utf8')).toBe((await pythonStub(source, { trait: 'Reader' })).text);
    expect((await of('types')).stdout).toBe((await clientTypes(source, { trait: 'Reader' })).text);
    expect((await of('stub', '--compat')).stdout).toContain('0x7528a14070146796');
    expect(await charmer(['types', '--interface', 'lib.rs'], { cwd })).toMatchObject({ code: 4, stdout: '' });
    expect(await charmer(['types'], { cwd })).toMatchObject({ code: 2, stdout: '' });
    expect(await charmer(['hash', '--interface', 'no.rs'], { cwd })).toMatchObject({ code: 2 });
    expect(readdirSync(cwd).sort()).toEqual(['lib.rs', 'reader.py']);
  });
});

describe('charmer', () => {
  it('charmer keygen, sign, verify and digest print results on stdout, say more on stderr, exit 3 when not valid', async () => {
    const cwd = temporaryDirectory();
    cpSync(join(root, 'examples/02-call-a-method/my-greeter'), join(cwd, 'my-greeter'), { recursive: true });
    expect(await charmer(['keygen', 'k'], { cwd })).toMatchObject({ code: 0, stdout: 'k.public\n' });
    expect(await charmer(['keygen', 'k'], { cwd })).toMatchObject({ code: 3, stdout: '' });
    const verifying = (...words: string[]) => charmer(['verify', 'my-greeter', ...words], { cwd });
    expect(await verifying('--key', 'k.public')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^unsigned: /),
    });
    expect((await charmer(['sign', 'my-greeter', '--key', 'k.secret'], { cwd })).code).toBe(0);
    expect(await charmer(['sign', 'my-greeter'], { cwd })).toMatchObject({ code: 2 });
    expect(await verifying('--key', 'k.public')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^valid: /) });
    mkdirSync(join(cwd, 'my-greeter/target'));
    writeFileSync(join(cwd, 'my-greeter/target/x.py'), '');
    const warned = await verifying('--key', 'k.public', '--json');
    expect(JSON.parse(warned.stdout)).toMatchObject({ state: 'valid', uncovered: ['target/x.py'] });
    expect(warned.stderr).toContain("'target/x.py' is not covered");
    expect(await verifying('--key', 'k.public', '--covered', 'all')).toMatchObject({ code: 3 });
    expect(await verifying('--covered', 'everything')).toMatchObject({ code: 2 });
    const digests = await charmer(['digest', 'my-greeter'], { cwd });
    expect(digests.stdout).toBe(`${(await digest(join(cwd, 'my-greeter'))).digest}\n`);
  });

  it('charmer fidius passes every word on and gives the original lines and exit codes (F14, F15)', async () => {
    const cwd = temporaryDirectory();
    const keys = await charmer(['fidius', 'keygen', '--out', 'k'], { cwd });
    expect(keys).toEqual({
      code: 0,
      stdout: 'Generated keypair:\n  Secret: k.secret\n  Public: k.public\n',
      stderr: '',
    });
    expect(await charmer(['fidius', 'package', 'verify', '--key', 'k.public', 'nowhere'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: package.toml not found in nowhere\n',
    });
    expect(await charmer(['fidius', '--version'])).toMatchObject({ code: 0, stdout: 'fidius 0.5.9\n' });
    expect(await charmer(['fidius', 'package', 'pack'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('the pages on packages and trust', () => {
  it.each([
    'tutorials/write-pack-and-sign-a-plugin.md',
    'how-to/run-only-signed-plugins.md',
    'how-to/pack-and-unpack.md',
    'how-to/call-through-a-typed-client.md',
  ])('every shell line of %s works, in its order', (page) => {
    const text = readFileSync(join(root, 'docs', page), 'utf8');
    const lines = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block).join('');
    expect(lines).toContain('charmer ');
    shell(lines, temporaryDirectory());
  });
});

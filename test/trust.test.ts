import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { digest, inspect, keygen, pack, sign, verify, type HostOptions, type TrustPolicy } from '../src/index.ts';
import { charmer } from './command-line.ts';
import { root, temporaryDirectory, testHost } from './test-host.ts';

const alice = await keygen(join(temporaryDirectory(), 'alice'));
const bob = await keygen(join(temporaryDirectory(), 'bob'));
const aliceKey = readFileSync(alice.public);
const signedByAlice: HostOptions = { trust: { require: 'signed', keys: [aliceKey] } };

interface Written {
  readonly directory: string;
  /** Exists once code of the package has run. */
  readonly marker: string;
}

/** A package that leaves a marker outside itself as soon as its module is imported. */
function writePackage(name = 'marks', more: Readonly<Record<string, string>> = {}): Written {
  const directory = join(temporaryDirectory(), name);
  const marker = join(temporaryDirectory(), 'ran');
  const files = {
    'package.toml': `[package]
name = "${name}"
version = "1.0.0"
interface = "marks"
interface_version = 1
runtime = "python"

[metadata]

[python]
entry_module = "marks"
`,
    'marks.py': `import pathlib

from fidius import method

pathlib.Path(${JSON.stringify(marker)}).write_text('ran')


@method
def where() -> str:
    return __file__


@method
def late() -> str:
    import later
    return later.ANSWER
`,
    'later.py': "ANSWER = 'as signed'\n",
    ...more,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return { directory, marker };
}

/** Every file below a directory with its content and time. */
function contentOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return Object.fromEntries(
    files.map((name) => {
      const file = join(directory, name);
      return [name, `${statSync(file).mtimeMs} ${readFileSync(file, 'latin1')}`];
    }),
  );
}

function hasRun({ marker }: Written): boolean {
  return statSync(marker, { throwIfNoEntry: false }) !== undefined;
}

describe('host.load() under the policy none', () => {
  it('load() runs a package where it is and says how it is signed', async () => {
    const written = writePackage();
    const plugin = await testHost().load(written.directory);
    expect(plugin.provenance).toMatchObject({ directory: written.directory, signature: 'unsigned' });
    expect(plugin.spec.directory).toBe(written.directory);
    expect(hasRun(written)).toBe(true);
    await sign(written.directory, { key: alice.secret });
    expect((await testHost().load(written.directory)).provenance.signature).toBe('unchecked');
  });
});

describe('host.load() under the policy signed', () => {
  it('load() refuses an unsigned package before any of its code runs (F36)', async () => {
    const written = writePackage();
    await expect(testHost(signedByAlice).load(written.directory)).rejects.toMatchObject({
      name: 'TrustError',
      code: 'SIGNATURE_MISSING',
      path: written.directory,
      hint: expect.any(String) as string,
    });
    expect(hasRun(written)).toBe(false);
  });

  it('load() refuses an unsigned package whose manifest it would refuse to read: trust comes first', async () => {
    const written = writePackage('marks', { 'package.toml': 'no toml' });
    const loading = testHost(signedByAlice).load(written.directory);
    await expect(loading).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  });

  it.each<readonly [string, (written: Written) => Promise<void>, string]>([
    [
      'signed by another key',
      async ({ directory }) => {
        await sign(directory, { key: bob.secret });
      },
      'SIGNATURE_INVALID',
    ],
    [
      'changed after it was signed',
      async ({ directory }) => {
        await sign(directory, { key: alice.secret });
        writeFileSync(join(directory, 'later.py'), "ANSWER = 'changed'\n");
      },
      'SIGNATURE_INVALID',
    ],
    [
      'with a file more than was signed',
      async ({ directory }) => {
        await sign(directory, { key: alice.secret });
        writeFileSync(join(directory, 'more.py'), '');
      },
      'SIGNATURE_INVALID',
    ],
    [
      'with a signature of 63 bytes',
      async ({ directory }) => {
        await sign(directory, { key: alice.secret });
        const file = join(directory, 'package.sig');
        writeFileSync(file, readFileSync(file).subarray(1));
      },
      'SIGNATURE_INVALID',
    ],
    [
      'with byte-code that was not signed (FW6)',
      async ({ directory }) => {
        await sign(directory, { key: alice.secret });
        mkdirSync(join(directory, '__pycache__'));
        writeFileSync(join(directory, '__pycache__/later.cpython-311.pyc'), 'x');
      },
      'SIGNATURE_INVALID',
    ],
  ])('load() refuses a package %s, before any of its code runs (F36)', async (_, prepare, code) => {
    const written = writePackage();
    await prepare(written);
    await expect(testHost(signedByAlice).load(written.directory)).rejects.toMatchObject({ name: 'TrustError', code });
    expect(hasRun(written)).toBe(false);
  });

  it('load() refuses a key that is trusted for other ids only, and takes it for its own', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const policy = (ids: readonly string[]): HostOptions => ({
      trust: { require: 'signed', keys: [{ key: aliceKey, ids }] },
    });
    await expect(testHost(policy(['greeter'])).load(written.directory)).rejects.toMatchObject({
      code: 'KEY_UNTRUSTED',
      plugin: 'marks',
      details: { signedBy: alice.key, ids: ['greeter'] },
    });
    expect(hasRun(written)).toBe(false);
    await testHost(policy(['greeter', 'marks'])).load(written.directory);
    expect(hasRun(written)).toBe(true);
  });

  it('load() refuses every package when no key is trusted', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const loading = testHost({ trust: { require: 'signed' } }).load(written.directory);
    await expect(loading).rejects.toMatchObject({ code: 'KEY_UNTRUSTED' });
  });

  it('load() runs a signed package from a verified copy, and says who signed it', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const plugin = await testHost(signedByAlice).load(written.directory);
    const { directory, ...provenance } = plugin.provenance;
    expect(provenance).toEqual({
      reference: written.directory,
      source: 'directory',
      signature: 'valid',
      signedBy: alice.key,
      digest: (await digest(written.directory)).digest,
    });
    expect(directory).not.toBe(written.directory);
    expect(plugin.spec.directory).toBe(directory);
    expect(plugin.spec.python.importFirst).toContain(directory);
    expect(JSON.stringify(plugin.spec)).not.toContain(written.directory);
    expect(await plugin.call('where')).toBe(join(directory, 'marks.py'));
  });

  it('load() leaves a signed directory as it was: it loads again and still verifies (FW6, F36)', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const before = contentOf(written.directory);
    for (let round = 0; round < 2; round += 1) {
      const host = testHost(signedByAlice);
      const plugin = await host.load(written.directory);
      expect(await plugin.call('late')).toBe('as signed');
      expect(readdirSync(plugin.provenance.directory)).not.toContain('__pycache__');
      await host.close();
      expect(contentOf(written.directory)).toEqual(before);
    }
    expect((await verify(written.directory, { keys: [alice.public] })).state).toBe('valid');
  });

  it('load() leaves a signed directory as it was under the policy none too (FW6)', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const before = contentOf(written.directory);
    expect(await (await testHost().load(written.directory)).call('late')).toBe('as signed');
    expect(contentOf(written.directory)).toEqual(before);
    await testHost(signedByAlice).load(written.directory);
  });

  it.each(['target/__init__.py', 'vendor/x.sig', '.git/hook'])(
    'load() reports the uncovered file %s, and refuses it when all must be covered (FW3, FW4)',
    async (file) => {
      const written = writePackage('marks', { [file]: 'x = 1\n' });
      await sign(written.directory, { key: alice.secret });
      const strict: TrustPolicy = { require: 'signed', keys: [aliceKey], covered: 'all' };
      await expect(testHost({ trust: strict }).load(written.directory)).rejects.toMatchObject({
        code: 'SIGNATURE_INVALID',
        message: expect.stringContaining(file) as string,
        details: { uncovered: [file] },
      });
      expect(hasRun(written)).toBe(false);
      const plugin = await testHost(signedByAlice).load(written.directory);
      expect(plugin.provenance).toMatchObject({ signature: 'valid', uncoveredFiles: [file] });
    },
  );
});

describe('what was verified is what runs (FW7)', () => {
  it('load() goes on with the verified copy when the source changes, through a lazy import and a reload', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const plugin = await testHost(signedByAlice).load(written.directory);
    writeFileSync(join(written.directory, 'later.py'), "ANSWER = 'not signed'\n");
    expect(await plugin.call('late')).toBe('as signed');
    await plugin.reload();
    expect(await plugin.call('late')).toBe('as signed');
    await expect(testHost(signedByAlice).load(written.directory)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('load() runs what was verified although somebody changed the copy of an earlier load', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const first = await testHost(signedByAlice).load(written.directory);
    const copy = first.provenance.directory;
    rmSync(join(copy, 'later.py'));
    writeFileSync(join(copy, 'later.py'), "ANSWER = 'smuggled'\n");
    writeFileSync(join(copy, 'json.py'), "raise SystemExit('smuggled')\n");
    const second = await testHost(signedByAlice).load(written.directory);
    expect(second.provenance.directory).toBe(copy);
    expect(await second.call('late')).toBe('as signed');
    expect(readdirSync(copy)).not.toContain('json.py');
  });

  it('load() at the same time from several hosts gives each a whole copy', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const hosts = Array.from({ length: 3 }, () => testHost(signedByAlice));
    const plugins = await Promise.all(hosts.map((host) => host.load(written.directory)));
    expect(await Promise.all(plugins.map((plugin) => plugin.call('late')))).toEqual(Array(3).fill('as signed'));
  });

  it('load() refuses a signed package with what cannot be copied, and leaves nothing behind', async () => {
    const cacheDir = temporaryDirectory();
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    symlinkSync('nowhere', join(written.directory, 'broken'));
    const loading = testHost({ ...signedByAlice, cacheDir }).load(written.directory);
    await expect(loading).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', path: written.directory });
    expect(readdirSync(join(cacheDir, 'snapshots'))).toEqual([]);
  });
});

describe('host.load() under the policy digest', () => {
  it('load() takes what the policy names, in either case, and nothing else', async () => {
    const written = writePackage();
    const { digest: known } = await digest(written.directory);
    const host = testHost({ trust: { require: 'digest', digests: [known.toUpperCase()] } });
    expect((await host.load(written.directory)).provenance).toMatchObject({ digest: known, signature: 'unsigned' });
    const changed = writePackage('marks', { 'later.py': "ANSWER = 'changed'\n" });
    await expect(host.load(changed.directory)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      details: { digest: (await digest(changed.directory)).digest },
    });
    expect(hasRun(changed)).toBe(false);
  });

  it('load() refuses files that a digest does not count when all must be covered', async () => {
    const written = writePackage('marks', { 'target/__init__.py': '' });
    const digests = [(await digest(written.directory)).digest];
    await testHost({ trust: { require: 'digest', digests } }).load(written.directory);
    await expect(
      testHost({ trust: { require: 'digest', digests, covered: 'all' } }).load(written.directory),
    ).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining('target/__init__.py') as string,
    });
  });
});

describe('createHost() checks its trust policy', () => {
  it.each<readonly [unknown, RegExp]>([
    [{ require: 'sigend' }, /'none', 'digest' or 'signed'/],
    [{}, /'none', 'digest' or 'signed'/],
    [{ require: 'signed', key: [] }, /did you mean 'keys'/],
    [{ require: 'signed', covered: 'everything' }, /'original' or 'all'/],
    [{ require: 'digest', digests: ['abc'] }, /64 hexadecimal digits/],
    [{ require: 'signed', keys: [Buffer.alloc(31)] }, /exactly 32 bytes/],
  ])('createHost() refuses %j rather than let anything through', (trust, message) => {
    expect(() => testHost({ trust: trust as TrustPolicy })).toThrow(message);
  });
});

describe('archives loaded by their path', () => {
  it('load() runs an archive, under none and under signed (F3)', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const archive = join(temporaryDirectory(), 'marks.fid');
    await pack(written.directory, { output: archive });
    const open = await testHost().load(archive);
    expect(open.provenance).toMatchObject({ source: 'archive', signature: 'unchecked' });
    expect(await open.call('late')).toBe('as signed');
    const trusted = await testHost(signedByAlice).load(archive);
    expect(trusted.provenance).toMatchObject({ source: 'archive', signature: 'valid', signedBy: alice.key });
    expect(await trusted.call('late')).toBe('as signed');
  });

  it('load() refuses an archive of changed contents before any of its code runs', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    writeFileSync(join(written.directory, 'later.py'), "ANSWER = 'changed'\n");
    const archive = join(temporaryDirectory(), 'marks.fid');
    await pack(written.directory, { output: archive });
    await expect(testHost(signedByAlice).load(archive)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(hasRun(written)).toBe(false);
  });

  it('charmer call runs an archive, and with --trusted-key only one that this key has signed', async () => {
    const written = writePackage();
    await sign(written.directory, { key: alice.secret });
    const archive = join(temporaryDirectory(), 'marks.fid');
    await pack(written.directory, { output: archive });
    expect(await charmer(['call', archive, 'late'])).toMatchObject({ code: 0, stdout: '"as signed"\n' });
    const trusting = (key: string) => charmer(['call', archive, 'late', '--trusted-key', key]);
    expect(await trusting(alice.public)).toMatchObject({ code: 0, stdout: '"as signed"\n' });
    const refused = await trusting(bob.public);
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toContain('SIGNATURE_INVALID');
  });
});

describe('every format can be signed', () => {
  const examples = [
    ['01-run-a-pipeline/echo-python-source', 'EchoPythonNode', { type: 'text', data: 'hi' }],
    ['02-call-a-method/my-greeter', 'greet', 'World'],
  ] as const;

  it.each(examples)('load() runs %s from a verified copy', async (example, operation, argument) => {
    const directory = join(temporaryDirectory(), basename(example));
    cpSync(join(root, 'examples', example), directory, { recursive: true });
    const host = testHost(signedByAlice);
    await expect(host.load(directory)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
    await sign(directory, { key: alice.secret });
    const plugin = await host.load(directory);
    expect(plugin.provenance.signature).toBe('valid');
    const plain = await testHost().load(directory);
    expect(await plugin.call(operation, argument)).toEqual(await plain.call(operation, argument));
    writeFileSync(join(directory, 'more.py'), '');
    await expect(host.load(directory)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('load() starts the script of a one-shot plugin in the verified copy, executable as it was', async () => {
    const directory = join(temporaryDirectory(), 'says-where');
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'manifest.yml'),
      "id: says-where\nname: Says where\nversion: '1'\nruntime: python\nscript: [./main]\ncapabilities:\n  movieByName: true\n",
    );
    const script = "#!/usr/bin/env python3\nimport json, os\nprint(json.dumps({'ok': True, 'result': os.getcwd()}))\n";
    writeFileSync(join(directory, 'main'), script, { mode: 0o755 });
    await sign(directory, { key: alice.secret });
    const plugin = await testHost(signedByAlice).load(directory);
    expect(await plugin.call('movieByName', {})).toBe(plugin.provenance.directory);
    expect(plugin.provenance.directory).not.toBe(directory);
  });
});

describe('two packages side by side', () => {
  const versioned = (name: string, version: string): Written =>
    writePackage(name, {
      'marks.py': `from fidius import method

import tiny


@method
def who() -> str:
    return '${name} with tiny ' + tiny.VERSION
`,
      'vendor/tiny/__init__.py': `VERSION = '${version}'\n`,
    });

  it('load() gives each its own code and its own vendored version, under one entry module name (FW16)', async () => {
    const host = testHost(signedByAlice);
    const written = [versioned('first', '1.0'), versioned('second', '2.0')];
    for (const { directory } of written) await sign(directory, { key: alice.secret });
    const [first, second] = await Promise.all(written.map(({ directory }) => host.load(directory)));
    for (let round = 0; round < 2; round += 1) {
      expect(await first?.call('who')).toBe('first with tiny 1.0');
      expect(await second?.call('who')).toBe('second with tiny 2.0');
    }
    expect(first?.pid).not.toBe(second?.pid);
  });
});

describe('inspect()', () => {
  it('inspect() tells how a package is signed without running it', async () => {
    const written = writePackage('marks', { 'target/x.py': '' });
    expect((await inspect(written.directory)).signature.state).toBe('unsigned');
    await sign(written.directory, { key: alice.secret });
    const found = await inspect(written.directory, { keys: [alice.public] });
    expect(found.signature).toMatchObject({ state: 'valid', key: alice.key, uncovered: ['target/x.py'] });
    expect((await inspect(written.directory)).signature.state).toBe('untrusted');
    expect((await inspect(written.directory, { keys: [readFileSync(bob.public)] })).signature.state).toBe('invalid');
    const strict = await inspect(written.directory, { keys: [alice.public], covered: 'all' });
    expect(strict.signature.state).toBe('invalid');
    expect(hasRun(written)).toBe(false);
  });

  it('charmer inspect shows state, signer and uncovered files', async () => {
    const written = writePackage('marks', { 'target/x.py': '' });
    await sign(written.directory, { key: alice.secret });
    const { code, stdout } = await charmer(['inspect', written.directory, '--manifest-only', '--key', alice.public]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^signature {2,}valid$/m);
    expect(stdout).toMatch(new RegExp(`^signed by {2,}${alice.key}$`, 'm'));
    expect(stdout).toMatch(/^not covered {2,}target\/x\.py$/m);
    expect(hasRun(written)).toBe(false);
    const json = await charmer(['inspect', written.directory, '--manifest-only', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ signature: { state: 'untrusted', uncovered: ['target/x.py'] } });
  });
});

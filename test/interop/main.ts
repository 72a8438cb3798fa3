/**
 * `npm run test:interop`: packages, signatures, digests and stubs travel between Charmer and the original's own programs,
 * in both directions (Fidius spec row F37). Needs a Rust toolchain, so it is not part of `npm test`.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packPackage } from '../../src/archive/pack.ts';
import { digestTree } from '../../src/archive/tree-digest.ts';
import { unpackPackage } from '../../src/archive/unpack.ts';
import { runFidiusCommand } from '../../src/doors/fidius-command.ts';
import { fidius } from '../../src/formats/fidius/index.ts';
import { pythonStub } from '../../src/formats/fidius/python-stub.ts';
import { createHost } from '../../src/index.ts';
import { generateKeys } from '../../src/signing/keygen.ts';
import { readPublicKey, readSecretKey } from '../../src/signing/keys.ts';
import { signPackage } from '../../src/signing/sign-package.ts';
import { verifyPackage } from '../../src/signing/verify-package.ts';
import { buildOriginalTools } from './original-tools.ts';

const rules = fidius.archive;
const TREES = 200;
const TRAIT = '#[plugin_interface]\npub trait Greeter {\n    fn greet(&self, name: String) -> String;\n}\n';
const MANIFEST = `[package]
name = "travels"
version = "1.0.0"
interface = "Greeter"
interface_version = 1
runtime = "python"

[metadata]
summary = 'goes "both" ways'

[python]
entry_module = "entry"
`;

const tools = buildOriginalTools(say);
const work = mkdtempSync(path.join(tmpdir(), 'charmer-interop-'));
try {
  await oursIsAccepted();
  await theirsIsAccepted();
  await digestsAgree();
  await inspectionsAgree();
  await stubsLoad();
  say('all of it');
} finally {
  rmSync(work, { recursive: true, force: true });
}

function say(line: string): void {
  process.stdout.write(`interop: ${line}\n`);
}

/** Signed and packed here; verified, unpacked and inspected there. */
async function oursIsAccepted(): Promise<void> {
  const cwd = fresh();
  const pkg = writePackage(cwd);
  const keys = generateKeys(path.join(cwd, 'k'));
  await signPackage(pkg, rules, readSecretKey(keys.secret));
  const named = { rules, name: 'travels', version: '1.0.0', python: 'python3' };
  await packPackage({ directory: pkg, ...named, output: path.join(cwd, 'ours.fid') });
  succeed(['package', 'verify', '--key', 'k.public', 'pkg'], cwd, 'Package signature valid: pkg\n');
  succeed(['package', 'unpack', 'ours.fid', '--dest', 'out'], cwd, 'Unpacked: out/travels-1.0.0\n');
  succeed(['package', 'verify', '--key', 'k.public', 'out/travels-1.0.0'], cwd);
  succeed(['package', 'inspect', 'out/travels-1.0.0'], cwd);
  succeed(['package', 'pack', 'pkg', '--output', 'theirs.fid'], cwd);
  assert.equal(sha256(path.join(cwd, 'ours.fid')), sha256(path.join(cwd, 'theirs.fid')));
  say('a package signed and packed here verifies, unpacks and inspects there; both archives are the same bytes');
}

/** Signed and packed there; verified and unpacked here. */
async function theirsIsAccepted(): Promise<void> {
  const cwd = fresh();
  writePackage(cwd);
  succeed(['keygen', '--out', 'k'], cwd);
  succeed(['package', 'sign', '--key', 'k.secret', 'pkg'], cwd);
  succeed(['package', 'pack', 'pkg', '--output', 'theirs.fid'], cwd);
  const { directory, findings } = await unpackPackage({
    archive: path.join(cwd, 'theirs.fid'),
    destination: path.join(cwd, 'out'),
    rules,
    manifestFile: fidius.manifestFile,
  });
  assert.deepEqual(findings, []);
  const verification = await verifyPackage(directory, rules, {
    trustedKeys: [readPublicKey(path.join(cwd, 'k.public'))],
  });
  assert.equal(verification.state, 'valid');
  const ours = await signPackage(directory, rules, readSecretKey(path.join(cwd, 'k.secret')));
  assert.deepEqual(ours.signature, readFileSync(path.join(cwd, 'pkg', rules.signatureFile)));
  say('a package signed and packed there verifies and unpacks here; both signatures are the same bytes');
}

/** A signature is deterministic, so equal signatures mean equal digests. */
async function digestsAgree(): Promise<void> {
  const keyDirectory = fresh();
  const keys = generateKeys(path.join(keyDirectory, 'k'));
  for (let tree = 0; tree < TREES; tree++) {
    const cwd = fresh();
    randomTree(path.join(cwd, 'pkg'));
    succeed(['package', 'sign', '--key', keys.secret, 'pkg'], cwd);
    const theirs = readFileSync(path.join(cwd, 'pkg', rules.signatureFile));
    const ours = await signPackage(path.join(cwd, 'pkg'), rules, readSecretKey(keys.secret));
    assert.deepEqual(
      ours.signature,
      theirs,
      `tree ${cwd}: ${(await digestTree(path.join(cwd, 'pkg'), rules)).covered.join(' ')}`,
    );
    succeed(['package', 'pack', 'pkg', '--output', 'theirs.fid'], cwd);
    await packPackage({
      directory: path.join(cwd, 'pkg'),
      rules,
      name: 'travels',
      version: '1.0.0',
      python: 'python3',
      output: path.join(cwd, 'ours.fid'),
      compat: true,
    });
    // The signature was written again: only its time differs, and times are whole seconds in an archive.
    succeed(['package', 'pack', 'pkg', '--output', 'theirs.fid'], cwd);
    assert.equal(sha256(path.join(cwd, 'ours.fid')), sha256(path.join(cwd, 'theirs.fid')));
    rmSync(cwd, { recursive: true });
  }
  say(`digests, signatures and archives of ${TREES} random trees are the same bytes`);
}

/** What both commands print about a package is the same. */
async function inspectionsAgree(): Promise<void> {
  const cwd = fresh();
  writePackage(cwd);
  for (const argv of [
    ['package', 'inspect', 'pkg'],
    ['package', 'validate', 'pkg'],
  ]) {
    let ours = '';
    await runFidiusCommand(argv, {
      cwd,
      env: process.env,
      stdout: (text) => void (ours += text),
      stderr: (text) => void (ours += text),
    });
    succeed(argv, cwd, ours);
  }
  say('both commands print the same about a package');
}

/** The stubs of both tools, filled in, load in both hosts. */
async function stubsLoad(): Promise<void> {
  const source = path.join(fresh(), 'lib.rs');
  writeFileSync(source, TRAIT);
  const theirs = tools.fidius(['python-stub', '--interface', source, '--out', '-'], path.dirname(source)).stdout;
  const ours = await pythonStub(TRAIT);
  const host = createHost();
  try {
    for (const [author, text] of [
      ['theirs', theirs],
      ['ours', ours.text],
    ] as const) {
      const cwd = fresh();
      const pkg = writePackage(cwd);
      writeFileSync(
        path.join(pkg, 'entry.py'),
        text.replace(/raise NotImplementedError.*/, "return f'Hello, {name}!'"),
      );
      assert.equal(
        tools.load(cwd, 'travels', ours.hash, ['greet']),
        'Ok("Hello, World!")',
        `their host, stub: ${author}`,
      );
      const methods = [{ name: 'greet', kind: 'unary' }];
      const plugin = await host.load(pkg, { interface: { name: 'Greeter', hash: ours.hash, methods } });
      assert.equal(await plugin.call('greet', 'World'), 'Hello, World!', `our host, stub: ${author}`);
      await plugin.close();
    }
  } finally {
    await host.close();
  }
  say('the stubs of both tools load and answer in both hosts');
}

function succeed(argv: readonly string[], cwd: string, stdout?: string): void {
  const outcome = tools.fidius(argv, cwd);
  assert.equal(outcome.exit, 0, `fidius ${argv.join(' ')}: ${outcome.stderr}`);
  if (stdout !== undefined) assert.equal(outcome.stdout, stdout);
}

function fresh(): string {
  return mkdtempSync(path.join(work, 'd-'));
}

function writePackage(cwd: string): string {
  const pkg = path.join(cwd, 'pkg');
  mkdirSync(path.join(pkg, 'deep', 'é日😀'), { recursive: true });
  writeFileSync(path.join(pkg, 'package.toml'), MANIFEST);
  writeFileSync(path.join(pkg, 'entry.py'), 'def greet(name):\n    return name\n');
  writeFileSync(path.join(pkg, 'deep', 'é日😀', `${'long'.repeat(30)}.py`), 'x = 1\n');
  return pkg;
}

/** Odd names, sizes around the block size, modes, links, excluded directories. */
function randomTree(pkg: string): void {
  mkdirSync(pkg);
  writeFileSync(path.join(pkg, 'package.toml'), MANIFEST);
  const names = [
    'a',
    'b-c',
    'b',
    'B',
    'é',
    'e\u0301',
    '日本',
    '😀',
    '～',
    'target',
    '.git',
    'x.sig',
    '.sig',
    'x.SIG',
    'a b',
    'n'.repeat(90),
  ];
  const pick = <Item>(items: readonly Item[]): Item => items[randomBytes(2).readUInt16LE() % items.length] as Item;
  for (let file = 0; file < 12; file++) {
    const parts = Array.from({ length: 1 + ((randomBytes(1)[0] ?? 0) % 3) }, () => pick(names));
    const target = path.join(pkg, ...parts);
    try {
      mkdirSync(path.dirname(target), { recursive: true });
      if (file % 6 === 5) symlinkSync('package.toml', path.join(pkg, `link${file}`));
      else writeFileSync(target, randomBytes(pick([0, 1, 511, 512, 513, 2000])), { flag: 'wx' });
      if (file % 4 === 0) chmodSync(target, 0o755);
    } catch (error) {
      // A name that is a directory already, or below a file: such a tree cannot be.
      if (!['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

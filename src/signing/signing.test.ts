import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packPackage } from '../archive/pack.ts';
import { fill, RULES, scratch } from '../archive/scratch.case.ts';
import { unpackPackage } from '../archive/unpack.ts';
import { CharmerError } from '../errors.ts';
import { isCurvePoint } from './curve-point.ts';
import { generateKeys } from './keygen.ts';
import { parsePublicKey, parseSecretKey, publicBytesOf, readPublicKey, readSecretKey } from './keys.ts';
import { signatureFileFor, signFile, verifyFile } from './sign-file.ts';
import { signPackage } from './sign-package.ts';
import { requireValid, type SignatureState, verifyPackage, type VerifyOptions } from './verify-package.ts';

const temporary = scratch();
const keys = fileURLToPath(new URL('../../fixtures/conformance/fidius/keys', import.meta.url));
const alice = { secret: readSecretKey(`${keys}/alice.secret`), public: readPublicKey(`${keys}/alice.public`) };
const bob = readPublicKey(`${keys}/bob.public`);

const REFERENCE = { 'package.toml': 'a=1\n', 'sub/b.py': 'x', 'empty.txt': '', 'sub-c': 'zz' };
const VECTORS = [
  [
    1,
    '8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c',
    '4c4ba759272e4de884032308441beda4b17249fbb4e4311cf8b0fa5475b0d39ecfb3a5025b95f37ef2689f9a8316bbc42fd5511f6399e75c2c7f69d0a6540b01',
  ],
  [
    2,
    '8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394',
    '012ab84f88b6aec16471cb49ae1f2d7983ba3df644d54d298bfc3fb43ce2710e14193d276f4ce99ba5c1e3071af56a93cec58378d1bca60bfef5cf29d1f0b20e',
  ],
] as const;

async function stateOf(directory: string, options: Partial<VerifyOptions> = {}): Promise<SignatureState> {
  return (await verifyPackage(directory, RULES, { trustedKeys: [alice.public], ...options })).state;
}

function contentOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(directory, name), 'latin1')]));
}

describe('signPackage()', () => {
  it.each(VECTORS)('signPackage() gives the vectors of seed %i (F10, F12)', async (byte, publicHex, signature) => {
    const secret = parseSecretKey(Buffer.alloc(32, byte));
    expect(publicBytesOf(secret).toString('hex')).toBe(publicHex);
    const directory = fill(temporary(), REFERENCE);
    expect((await signPackage(directory, RULES, secret)).signature.toString('hex')).toBe(signature);
    expect(readFileSync(path.join(directory, 'package.sig')).toString('hex')).toBe(signature);
  });

  it('signPackage() says what the signature does not cover (FW3, FW4)', async () => {
    const directory = fill(temporary(), { ...REFERENCE, 'target/x.py': 'x', 'vendor/data.sig': 'x' });
    expect((await signPackage(directory, RULES, alice.secret)).uncovered).toEqual(['target/x.py', 'vendor/data.sig']);
  });
});

describe('verifyPackage()', () => {
  it('verifyPackage() tells the five states apart (F12, F36)', async () => {
    const directory = fill(temporary(), REFERENCE);
    expect(await stateOf(directory)).toBe('unsigned');
    await signPackage(directory, RULES, alice.secret);
    expect(await stateOf(directory)).toBe('valid');
    expect(await stateOf(directory, { trustedKeys: [bob, alice.public] })).toBe('valid');
    expect(await stateOf(directory, { trustedKeys: [bob] })).toBe('invalid');
    expect(await stateOf(directory, { trustedKeys: [bob], knownKeys: [alice.public] })).toBe('untrusted');
    expect(await stateOf(directory, { trustedKeys: [] })).toBe('untrusted');
    writeFileSync(path.join(directory, 'sub-c'), 'changed');
    expect(await stateOf(directory)).toBe('invalid');
    symlinkSync('nowhere', path.join(directory, 'broken'));
    expect(await stateOf(directory)).toBe('error');
  });

  it.each([63, 65, 0, 128])('verifyPackage() calls a signature of %i bytes invalid (F12)', async (bytes) => {
    const directory = fill(temporary(), { ...REFERENCE, 'package.sig': Buffer.alloc(bytes, 'x') });
    expect(await stateOf(directory)).toBe('invalid');
  });

  it('verifyPackage() accepts unsigned extra files as the original does, and refuses them when all must be covered (FW3, FW4)', async () => {
    const directory = fill(temporary(), REFERENCE);
    await signPackage(directory, RULES, alice.secret);
    expect(await stateOf(directory, { covered: 'all' })).toBe('valid');
    fill(directory, { 'target/__init__.py': 'import os', 'sub/evil.sig': 'payload' });
    const reported = await verifyPackage(directory, RULES, { trustedKeys: [alice.public] });
    expect([reported.state, reported.uncovered]).toEqual(['valid', ['sub/evil.sig', 'target/__init__.py']]);
    const refused = await verifyPackage(directory, RULES, { trustedKeys: [alice.public], covered: 'all' });
    expect(refused.state).toBe('invalid');
    expect(refused.message).toContain("'sub/evil.sig', 'target/__init__.py'");
  });

  it('verifyPackage() finds every changed byte of a package and of its signature (F12)', async () => {
    const directory = fill(temporary(), { 'package.toml': '[package]\n', 'm.py': 'x = 1\n' });
    await signPackage(directory, RULES, alice.secret);
    for (const name of readdirSync(directory)) {
      const file = path.join(directory, name);
      const content = readFileSync(file);
      for (let at = 0; at < content.length; at++) {
        const changed = Buffer.from(content);
        changed[at] = changed[at]! ^ 0xff;
        writeFileSync(file, changed);
        expect(await stateOf(directory)).toBe('invalid');
      }
      writeFileSync(file, content);
    }
    expect(await stateOf(directory)).toBe('valid');
  });

  it('verifyPackage() never accepts other content from an archive with any changed byte (F3, F12)', async () => {
    const directory = fill(temporary(), { 'package.toml': '[package]\n', 'm.py': 'x = 1\n' });
    await signPackage(directory, RULES, alice.secret);
    const archive = path.join(temporary(), 'p.fid');
    await packPackage({ directory, rules: RULES, name: 'p', version: '1', output: archive, python: 'python3' });
    const whole = readFileSync(archive);
    const changedArchive = path.join(temporary(), 'changed.fid');
    const REFUSED = ['ARCHIVE_INVALID', 'ARCHIVE_UNSAFE', 'ARCHIVE_TOO_LARGE', 'invalid'];
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 0xff;
      writeFileSync(changedArchive, changed);
      const state = await unpackPackage({
        archive: changedArchive,
        destination: temporary(),
        rules: RULES,
        manifestFile: 'package.toml',
      }).then(
        async ({ directory: unpacked }) => {
          // A few bits of a compressed stream mean nothing, such as those of a code table that no group uses.
          const isSame = isDeepStrictEqual(contentOf(unpacked), contentOf(directory));
          return isSame ? 'the signed content' : stateOf(unpacked);
        },
        (error: unknown) => (error instanceof CharmerError ? error.code : 'crashed'),
      );
      expect([...REFUSED, 'the signed content']).toContain(state);
      refused += REFUSED.includes(state) ? 1 : 0;
    }
    expect(refused).toBeGreaterThan(whole.length * 0.95);
  });

  it('verifyPackage() stops when asked to', async () => {
    const directory = fill(temporary(), REFERENCE);
    await signPackage(directory, RULES, alice.secret);
    const reason = new Error('enough');
    await expect(stateOf(directory, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('requireValid()', () => {
  it.each([
    ['unsigned', 'SIGNATURE_MISSING'],
    ['untrusted', 'KEY_UNTRUSTED'],
    ['invalid', 'SIGNATURE_INVALID'],
    ['error', 'SIGNATURE_INVALID'],
  ] as const)('requireValid() throws for %s: %s (F36)', (state, code) => {
    const verification = { state, message: 'm', uncovered: [], escaping: [] };
    expect(() => requireValid(verification, 'd')).toThrow(expect.objectContaining({ code }));
  });

  it('requireValid() lets a valid package pass', () => {
    expect(() => requireValid({ state: 'valid', message: '', uncovered: [], escaping: [] }, 'd')).not.toThrow();
  });
});

describe('generateKeys()', () => {
  it('generateKeys() writes 32 raw bytes each, the secret for its owner only, and they fit together (F10)', async () => {
    const files = generateKeys(path.join(temporary(), 'k'));
    expect([files.secret, files.public].map((file) => statSync(file).size)).toEqual([32, 32]);
    expect(statSync(files.secret).mode & 0o777).toBe(0o600);
    const directory = fill(temporary(), REFERENCE);
    await signPackage(directory, RULES, readSecretKey(files.secret));
    expect(await stateOf(directory, { trustedKeys: [readPublicKey(files.public)] })).toBe('valid');
  });

  it('generateKeys() refuses to overwrite either file, except with compat (FW14)', () => {
    for (const name of ['k.secret', 'k.public']) {
      const directory = fill(temporary(), { [name]: 'precious' });
      expect(() => generateKeys(path.join(directory, 'k'))).toThrow(
        expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
      );
      expect(readdirSync(directory)).toEqual([name]);
      expect(readFileSync(path.join(directory, name), 'utf8')).toBe('precious');
      generateKeys(path.join(directory, 'k'), { compat: true });
      expect(readFileSync(path.join(directory, name)).length).toBe(32);
    }
  });
});

describe('signFile()', () => {
  it.each([
    ['lib.so', 'lib.so.sig'],
    ['plugin', 'plugin..sig'],
    ['.hidden', '.hidden..sig'],
    ['lib.so.1', 'lib.so.1.sig'],
  ])('signFile() names the signature of %s %s (F13)', (name, expected) => {
    const directory = fill(temporary(), { [name]: 'binary' });
    const file = path.join(directory, name);
    expect(path.basename(signFile(file, alice.secret))).toBe(expected);
    expect(signatureFileFor(name)).toBe(expected);
    expect(verifyFile(file, [bob, alice.public])).toBe(true);
    expect(verifyFile(file, [bob])).toBe(false);
  });

  it('verifyFile() says whether the signature is missing or malformed', () => {
    const directory = fill(temporary(), { 'a.so': 'x', 'b.so': 'x', 'b.so.sig': 'short' });
    const verify = (name: string) => () => verifyFile(path.join(directory, name), [bob]);
    expect(verify('a.so')).toThrow(expect.objectContaining({ code: 'SIGNATURE_MISSING' }));
    expect(verify('b.so')).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
  });
});

describe('parsePublicKey()', () => {
  it('parsePublicKey() refuses other lengths and bytes that are no point (F10)', () => {
    for (const bytes of [31, 33, 0]) expect(() => parsePublicKey(Buffer.alloc(bytes))).toThrow(/exactly 32 bytes/);
    for (const bytes of [31, 33, 0]) expect(() => parseSecretKey(Buffer.alloc(bytes))).toThrow(/exactly 32 bytes/);
    expect(() => parsePublicKey(Buffer.concat([Buffer.from([2]), Buffer.alloc(31)]))).toThrow(/no point/);
  });

  it('isCurvePoint() takes every public key that is made of a seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const bytes = publicBytesOf(parseSecretKey(createHash('sha256').update(String(seed)).digest()));
      expect(isCurvePoint(bytes)).toBe(true);
    }
  });
});

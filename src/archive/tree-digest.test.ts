import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveReason } from './archive-failure.ts';
import { fill, RULES, scratch } from './scratch.case.ts';
import { digestTree } from './tree-digest.ts';

const temporary = scratch();

const REFERENCE = {
  'package.toml': 'a=1\n',
  'sub/b.py': 'x',
  'empty.txt': '',
  'sub-c': 'zz',
  'target/n': 'ignored',
  'package.sig': 'ignored',
  'sub/evil.sig': 'ignored',
};

describe('digestTree()', () => {
  it('digestTree() gives the reference vector (F11)', async () => {
    const { hex, covered } = await digestTree(fill(temporary(), REFERENCE), RULES);
    expect(hex).toBe('4b4fabe468b180333e59d3191ba291c446138e9f4f503d147cd796a1f23a9d0b');
    expect(covered).toEqual(['empty.txt', 'package.toml', 'sub-c', 'sub/b.py']);
  });

  it('digestTree() reports files outside the signature and covers them on request (FW3, FW4)', async () => {
    const directory = fill(temporary(), REFERENCE);
    const original = await digestTree(directory, RULES);
    expect(original.uncovered).toEqual(['sub/evil.sig', 'target/n']);
    const all = await digestTree(directory, RULES, { coverage: 'all' });
    expect(all.covered).toEqual(['empty.txt', 'package.toml', 'sub-c', 'sub/b.py', 'sub/evil.sig', 'target/n']);
    expect(all.hex).not.toBe(original.hex);
  });

  it('digestTree() takes an empty directory for nothing', async () => {
    const directory = temporary();
    mkdirSync(path.join(directory, 'empty'));
    const { hex } = await digestTree(directory, RULES);
    expect(hex).toBe(createHash('sha256').digest('hex'));
  });

  it('digestTree() names files whose content lies outside, behind a link (FW12)', async () => {
    const outside = fill(temporary(), { 'secret.txt': 's' });
    const directory = fill(temporary(), { 'a.txt': 'a' });
    symlinkSync(path.join(outside, 'secret.txt'), path.join(directory, 'b.txt'));
    symlinkSync('a.txt', path.join(directory, 'c.txt'));
    expect((await digestTree(directory, RULES)).escaping).toEqual(['b.txt']);
  });

  it('digestTree() refuses a link that leads back to its own directory', async () => {
    const directory = fill(temporary(), { 'a.txt': 'a' });
    symlinkSync('.', path.join(directory, 'loop'));
    const error: unknown = await digestTree(directory, RULES).catch((thrown: unknown) => thrown);
    expect(archiveReason(error)).toBe('link-loop');
  });

  it('digestTree() rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    const digesting = digestTree(fill(temporary(), REFERENCE), RULES, { signal: AbortSignal.abort(reason) });
    await expect(digesting).rejects.toBe(reason);
  });

  it('digestTree() equals hashing length, path, length and content in byte order, for any tree (F11)', async () => {
    const name = fc.stringMatching(/^[a-z\u{e0}-\u{ff}\u{ff00}-\u{ff5e}\u{1f600}-\u{1f64f}.-]{1,6}$/u);
    const usable = name.filter(
      (text) => !/^\.+$/.test(text) && !text.endsWith('.sig') && text !== '.git' && text !== 'target',
    );
    const tree = fc.dictionary(usable, fc.uint8Array({ maxLength: 40 }), {
      minKeys: 1,
      maxKeys: 8,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(tree, async (files) => {
        const hash = createHash('sha256');
        const names = Object.keys(files).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        for (const file of names)
          hash
            .update(length(Buffer.from(file)))
            .update(file)
            .update(length(files[file]!))
            .update(files[file]!);
        expect((await digestTree(fill(temporary(), files), RULES)).hex).toBe(hash.digest('hex'));
      }),
      { numRuns: 40 },
    );
  });
});

function length(bytes: Uint8Array): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(bytes.length));
  return buffer;
}

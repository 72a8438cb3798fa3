import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { ArchiveRules } from '../plugin-spec.ts';

/** Rules like those of the recorded archives. */
export const RULES: ArchiveRules = {
  extension: 'fid',
  container: 'tar.bz2',
  excludedDirectories: ['target', '.git'],
  signatureFile: 'package.sig',
};

/** Makes directories that are gone after the tests of the file. */
export function scratch(): () => string {
  const root = mkdtempSync(path.join(tmpdir(), 'charmer-archive-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return () => mkdtempSync(path.join(root, 'd-'));
}

/** Writes files below a directory and returns it. */
export function fill(directory: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), content);
  }
  return directory;
}

/** One bzip2 stream of the pieces, by Python. */
export function bzip2(...pieces: readonly Uint8Array[]): Buffer {
  const program = 'import bz2,sys;sys.stdout.buffer.write(bz2.compress(sys.stdin.buffer.read()))';
  return execFileSync('python3', ['-c', program], { input: Buffer.concat(pieces), maxBuffer: 2 ** 27 });
}

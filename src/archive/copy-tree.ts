import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { archiveFailure } from './archive-failure.ts';
import { digestFiles } from './tree-digest.ts';
import { walkTree } from './tree-walk.ts';

/** Files copied before the event loop gets a turn. */
const TURN_FILES = 64;

/**
 * Copies the files of a directory, links followed, into one that is not there yet. The copies keep times and the right to
 * be executed, and nobody may write them.
 *
 * Throws what the file system throws, and `ARCHIVE_UNSAFE` for link loops, names without a portable form, and whatever is
 * neither file nor directory.
 */
export async function copyTree(directory: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  for (const [index, file] of walkTree(directory, { excludedDirectories: [] }).entries()) {
    const facts = statSync(file.absolute);
    if (!facts.isFile()) {
      throw archiveFailure('special-file', `'${file.path}' is neither a file nor a directory`, { path: file.absolute });
    }
    const copy = path.join(target, file.path);
    mkdirSync(path.dirname(copy), { recursive: true });
    copyFileSync(file.absolute, copy);
    utimesSync(copy, facts.atime, facts.mtime);
    chmodSync(copy, isExecutable(facts.mode) ? 0o555 : 0o444);
    if (index % TURN_FILES === TURN_FILES - 1) await nextTurn();
  }
}

/**
 * One number for everything about a directory that a program in it may depend on: its name, all of its files, signature
 * and uncovered ones included, and which of them can be executed. In hexadecimal.
 */
export async function identifyTree(directory: string): Promise<string> {
  const files = walkTree(directory, { excludedDirectories: [] });
  const executables = files.filter((file) => isExecutable(statSync(file.absolute).mode)).map((file) => file.path);
  const hash = createHash('sha256').update(await digestFiles(files));
  return hash.update(JSON.stringify([path.basename(directory), ...executables])).digest('hex');
}

function isExecutable(mode: number): boolean {
  return (mode & 0o111) !== 0;
}

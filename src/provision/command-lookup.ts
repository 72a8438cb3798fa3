/** Finds a command as the child's own `execvp` would: along PATH, without a shell. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** What a look-up came to; the error names are those of the system call. */
export type CommandLookup =
  { readonly path: string } | { readonly path: undefined; readonly errno: 'ENOENT' | 'EACCES' | 'EINVAL' };

/**
 * @param word A word with a slash is a path relative to `cwd`; any other word is searched for on PATH.
 * @param place `path` is the child's PATH, `cwd` the absolute directory that it starts in.
 */
export function findCommand(word: string, place: { path: string | undefined; cwd: string }): CommandLookup {
  if (word === '' || word.includes('\0')) return { path: undefined, errno: 'EINVAL' };
  if (word.includes('/') || isAbsolute(word)) return judge([resolve(place.cwd, word)]);
  return judge(pathDirectories(place.path).map((directory) => resolve(place.cwd, directory, word)));
}

/** Every executable file of that name on PATH, in order. */
export function findAllOnPath(word: string, path: string | undefined): string[] {
  return pathDirectories(path)
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, word))
    .filter((candidate) => accessOf(candidate) === 'executable');
}

function judge(candidates: readonly string[]): CommandLookup {
  let wasDenied = false;
  for (const candidate of candidates) {
    for (const path of spellings(candidate)) {
      const access = accessOf(path);
      if (access === 'executable') return { path };
      // Like execvp: go on looking, and remember that something of that name was there.
      if (access === 'denied') wasDenied = true;
    }
  }
  return { path: undefined, errno: wasDenied ? 'EACCES' : 'ENOENT' };
}

function pathDirectories(path: string | undefined): string[] {
  // POSIX: without PATH the system's default, and an empty entry means the current directory.
  const text = path ?? (process.platform === 'win32' ? '' : '/usr/bin:/bin');
  return text.split(delimiter).map((entry) => (entry === '' ? '.' : entry));
}

function spellings(path: string): string[] {
  return process.platform === 'win32' ? [`${path}.exe`, path] : [path];
}

function accessOf(path: string): 'executable' | 'denied' | 'absent' {
  try {
    if (!(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)) return 'absent';
  } catch {
    return 'absent';
  }
  try {
    accessSync(path, constants.X_OK);
    return 'executable';
  } catch {
    return 'denied';
  }
}

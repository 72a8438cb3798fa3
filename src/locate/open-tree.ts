/** The only window that a format has onto a plugin's directory. */
import { closeSync, constants, type Dirent, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ManifestError } from '../errors.ts';
import type { ReadonlyTree } from '../formats/format.ts';

/**
 * Opens a directory for reading. Links are followed, as Python follows them; paths that are absolute or climb with `..`
 * are absent, so that a manifest cannot have anything read for it that the plugin does not hold.
 *
 * The returned tree throws ManifestError `MANIFEST_INVALID` for a file that is there and cannot be read.
 */
export function openTree(directory: string): ReadonlyTree {
  const root = resolve(directory);
  let listing: { readonly entries: ReadonlyMap<string, Dirent> | undefined } | undefined;
  /** One listing answers for every name at the root: asking for each is what makes discovery slow. */
  const entriesAtRoot = (): ReadonlyMap<string, Dirent> | undefined =>
    (listing ??= { entries: listRoot(root) }).entries;
  return {
    directory: root,
    read(path: string): Uint8Array | undefined {
      const file = within(root, path);
      if (file === undefined || (isAtRoot(path) && entriesAtRoot()?.has(path) === false)) return undefined;
      try {
        return readRegularFile(file);
      } catch (cause) {
        const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
        throw new ManifestError(
          'MANIFEST_INVALID',
          `File '${path}' cannot be read (${reason}), expected a readable file`,
          {
            path: file,
            cause,
            hint: 'Check the permissions of the file',
          },
        );
      }
    },
    kind(path: string): 'file' | 'directory' | 'absent' {
      const entry = within(root, path);
      if (entry === undefined) return 'absent';
      const entries = isAtRoot(path) ? entriesAtRoot() : undefined;
      return entries === undefined ? kindOf(entry) : kindOfEntry(entries.get(path), entry);
    },
    list(path: string): readonly string[] {
      const entry = within(root, path);
      try {
        return entry === undefined ? [] : readdirSync(entry).sort();
      } catch {
        return [];
      }
    },
  };
}

/** The absolute path of an entry, or undefined for a path that is none of a tree. */
function within(root: string, path: string): string | undefined {
  if (path === '' || path === '.') return root;
  const steps = path.split(process.platform === 'win32' ? /[\\/]/ : '/');
  const isForeign =
    path.startsWith('/') || path.includes('\0') || steps.includes('..') || /^[A-Za-z]:$/.test(steps[0] ?? '');
  return isForeign ? undefined : join(root, ...steps);
}

/** The bytes of a regular file; undefined for what is none. Opening a pipe does not wait for its other end. */
function readRegularFile(file: string): Uint8Array | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ENXIO', 'ELOOP'].includes(code)) return undefined;
    throw error;
  }
  try {
    return fstatSync(descriptor).isFile() ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function isAtRoot(path: string): boolean {
  return path !== '' && path !== '.' && !path.includes('/');
}

/** Undefined where a directory cannot be listed: its entries can still be asked for by name. */
function listRoot(root: string): ReadonlyMap<string, Dirent> | undefined {
  try {
    return new Map(readdirSync(root, { withFileTypes: true }).map((entry) => [entry.name, entry]));
  } catch {
    return undefined;
  }
}

function kindOfEntry(entry: Dirent | undefined, path: string): 'file' | 'directory' | 'absent' {
  if (entry === undefined) return 'absent';
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'directory' : kindOf(path);
}

/** Sockets, devices and pipes are none of a plugin: reading one could wait for ever. */
function kindOf(path: string): 'file' | 'directory' | 'absent' {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts?.isFile() === true) return 'file';
    return facts?.isDirectory() === true ? 'directory' : 'absent';
  } catch {
    return 'absent';
  }
}

/** The only window that a format has onto a plugin's directory. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
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
  return {
    directory: root,
    read(path: string): Uint8Array | undefined {
      const file = within(root, path);
      if (file === undefined || kindOf(file) !== 'file') return undefined;
      try {
        return readFileSync(file);
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
      return entry === undefined ? 'absent' : kindOf(entry);
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

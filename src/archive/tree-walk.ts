import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { archiveFailure } from './archive-failure.ts';

/** One file of a package directory. */
export interface TreeFile {
  /** Path inside the package, `/` between components. */
  readonly path: string;
  /** Where it is on disk. */
  readonly absolute: string;
  /** Whether a symbolic link on the way leads out of the package. */
  readonly escapes: boolean;
}

/** How a package directory is walked. */
export interface WalkOptions {
  /** Directory names left out at any depth. */
  readonly excludedDirectories: readonly string[];
  /**
   * Walks exactly as the originals do: link loops are followed to the limit of the system, a backslash in a name becomes
   * a slash. Otherwise such trees are refused. @default false
   */
  readonly compat?: boolean;
}

/** What a walk carries down into a sub-directory. */
interface Level {
  readonly prefix: string;
  readonly absolute: string;
  readonly escapes: boolean;
  /** Real paths of the directories above, for finding loops. */
  readonly above: readonly string[];
}

/**
 * Lists every file of a package in ascending byte order of its UTF-8 path. Links are followed, so a linked file is a
 * file and a linked directory a directory; what is neither file nor directory is listed as a file and fails when it is
 * read. package spec §2.3, §3.2.
 *
 * @param onExcluded Told the path of every directory that is left out.
 *
 * Throws `ARCHIVE_UNSAFE` for a link loop, a backslash or a name that is not UTF-8 (spec rows F6, FW12).
 */
export function walkTree(
  directory: string,
  options: WalkOptions,
  onExcluded?: (directory: string) => void,
): TreeFile[] {
  const root = realpathSync(directory);
  const files: TreeFile[] = [];
  const pending: Level[] = [{ prefix: '', absolute: directory, escapes: false, above: [] }];
  for (let level = pending.pop(); level !== undefined; level = pending.pop()) {
    const above = options.compat === true ? [] : [...level.above, realWithoutLoop(level)];
    for (const entry of readdirSync(level.absolute, { withFileTypes: true, encoding: 'buffer' })) {
      const name = nameOf(entry, level, options);
      const inside = level.prefix === '' ? name : `${level.prefix}/${name}`;
      const absolute = path.join(level.absolute, name);
      const escapes = level.escapes || (entry.isSymbolicLink() && leadsOut(root, absolute));
      if (!isDirectory(entry, absolute)) files.push({ path: inside, absolute, escapes });
      else if (options.excludedDirectories.includes(name)) onExcluded?.(inside);
      else pending.push({ prefix: inside, absolute, escapes, above });
    }
  }
  return files.sort((left, right) => comparePaths(left.path, right.path));
}

/** Orders paths by the bytes of their UTF-8 text, which differs from JavaScript's order beyond the basic plane. */
export function comparePaths(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Whether a path, links followed, lies outside a directory given by its real path; a broken link does not. */
function leadsOut(root: string, absolute: string): boolean {
  let real: string;
  try {
    real = realpathSync(absolute);
  } catch {
    return false;
  }
  const relative = path.relative(root, real);
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}

function realWithoutLoop(level: Level): string {
  const real = realpathSync(level.absolute);
  if (level.above.includes(real)) {
    throw archiveFailure('link-loop', `Link '${level.prefix}' leads back to a directory that contains it`, {
      path: level.absolute,
      hint: 'Remove the link',
    });
  }
  return real;
}

function isDirectory(entry: Dirent<Buffer>, absolute: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(absolute).isDirectory();
  } catch {
    // Broken, or too many links in a row: reading it says so.
    return false;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function nameOf(entry: Dirent<Buffer>, level: Level, options: WalkOptions): string {
  let name: string;
  try {
    name = UTF8.decode(entry.name);
  } catch (cause) {
    throw archiveFailure(
      'unsafe-name',
      `Name '${entry.name.toString()}' in '${level.prefix || '.'}' is not UTF-8; packages hold UTF-8 names only`,
      { cause, path: level.absolute },
    );
  }
  if (path.sep === '\\' || !name.includes('\\')) return name;
  if (options.compat === true) return name.replaceAll('\\', '/');
  throw archiveFailure('unsafe-name', `Name '${name}' holds a backslash, which is a path separator elsewhere`, {
    path: level.absolute,
    hint: 'Rename the file',
  });
}

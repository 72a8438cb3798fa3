/**
 * The directory of links that stands for the directory a plugin lives in.
 *
 * A plugin may import its neighbours, and PYTHONPATH comes before the standard library: with the real directory on it,
 * a neighbour called `json` is every plugin's `json` (W19). So PYTHONPATH names a directory that shows the same
 * neighbours, save those that bear the name of a standard module. Its name is a hash over what it shows; it is made
 * aside and renamed into place, never changed, and safe to share between processes.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  type Dirent,
} from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { SiblingModules } from '../plugin-spec.ts';
import { STANDARD_MODULES } from './standard-modules.ts';

/** How often the time of a directory in use is renewed, and how long one that is not in use is kept. */
const RENEWAL_MS = 24 * 60 * 60 * 1000;
const UNUSED_MS = 30 * RENEWAL_MS;

/** One name that the generated directory shows, and what it leads to. */
interface Link {
  readonly name: string;
  readonly target: string;
}

/**
 * Returns the directory of links for a plugin's neighbours; makes it when what there is to show has changed.
 * Costs two directory listings when nothing has.
 *
 * A requirement whose name Python cannot import (`text-helpers`) shows what is inside it, and itself under the name with
 * underscores, unless something of that name is there already.
 *
 * @returns an absolute path below `<cacheDir>/siblings`
 */
export function siblingDirectory(siblings: SiblingModules, cacheDir: string): string {
  const root = resolve(siblings.root);
  const links = linksFor(root, siblings.requires);
  const key = createHash('sha256')
    .update(JSON.stringify([root, links]))
    .digest('hex')
    .slice(0, 24);
  const parent = join(resolve(cacheDir), 'siblings');
  const directory = join(parent, key);
  const facts = statSync(directory, { throwIfNoEntry: false });
  if (facts !== undefined) {
    if (Date.now() - facts.mtimeMs > RENEWAL_MS) utimesSync(directory, new Date(), new Date());
    return directory;
  }
  mkdirSync(parent, { recursive: true });
  dropUnused(parent);
  const aside = join(parent, `.${key}-${randomUUID()}`);
  mkdirSync(aside);
  try {
    for (const { name, target } of links) show(target, join(aside, name));
    renameSync(aside, directory);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    // Another process was first: what it made is the same.
    if (statSync(directory, { throwIfNoEntry: false }) === undefined) throw error;
  }
  return directory;
}

function linksFor(root: string, requires: readonly string[]): Link[] {
  const links: Link[] = [];
  const taken = new Set<string>();
  const add = (name: string, target: string): void => {
    const module = moduleName(name);
    if (module === '' || STANDARD_MODULES.has(module)) return;
    links.push({ name, target });
  };
  const addNew = (entries: readonly Dirent[], directory: string): void => {
    const fresh = entries.filter((entry) => isImportable(entry) && !taken.has(moduleName(entry.name)));
    for (const entry of fresh) add(entry.name, join(directory, entry.name));
    for (const entry of fresh) taken.add(moduleName(entry.name));
  };
  addNew(entriesOf(root), root);
  const packages = requires
    .filter((name) => !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
    .map((name) => resolve(root, name))
    .filter((directory) => isInside(root, directory));
  for (const directory of packages) addNew(entriesOf(directory), directory);
  for (const directory of packages) {
    const alias = directory.slice(directory.lastIndexOf(sep) + 1).replace(/[^\p{L}\p{N}_]/gu, '_');
    if (taken.has(alias) || entriesOf(directory).length === 0) continue;
    taken.add(alias);
    add(alias, directory);
  }
  return links;
}

/** Directories, and files that Python could import; a hidden name cannot be imported. */
function isImportable(entry: Dirent): boolean {
  if (entry.name.startsWith('.') || entry.name === '__pycache__') return false;
  return entry.isDirectory() || entry.isSymbolicLink() || /\.(py|pyc|so|pyd)$/.test(entry.name);
}

/** `json.py`, `json` and `json.cpython-311-x86_64-linux-gnu.so` are all `json` to the import system. */
function moduleName(name: string): string {
  const dot = name.indexOf('.');
  return dot === -1 ? name : name.slice(0, dot);
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1));
  } catch {
    return [];
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !isAbsolute(way) && way.split(sep)[0] !== '..';
}

function show(target: string, link: string): void {
  if (process.platform !== 'win32') {
    symlinkSync(target, link);
  } else if (statSync(target).isDirectory()) {
    symlinkSync(target, link, 'junction');
  } else {
    // Links to files need a privilege on Windows.
    copyFileSync(target, link);
  }
}

function dropUnused(parent: string): void {
  for (const entry of entriesOf(parent)) {
    const path = join(parent, entry.name);
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts !== undefined && Date.now() - facts.mtimeMs > UNUSED_MS) rmSync(path, { recursive: true, force: true });
  }
}

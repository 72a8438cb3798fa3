/** What packing leaves out unless it must be exactly the original's archive (row FW12). */

/** Why a path is left out. */
export type IgnoreReason = 'clutter' | 'secret';

/** Directories of caches, environments, version control and editors, at any depth. */
const CLUTTER_DIRECTORIES = [
  '__pycache__',
  '.hg',
  '.svn',
  '.venv',
  'venv',
  'node_modules',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.tox',
  '.nox',
  '.idea',
  '.vscode',
];

/** Files of the same kind, at any depth. */
const CLUTTER_FILES = [/\.py[co]$/, /^\.DS_Store$/, /^Thumbs\.db$/, /~$/, /\.sw[op]$/, /^\.coverage$/];

/** Files that are secret by name: they are never left out in silence. */
const SECRET_FILES = [/\.secret$/, /^\.env(?:\..+)?$/, /^\.netrc$/, /^\.pypirc$/, /^id_(?:rsa|dsa|ecdsa|ed25519)$/];

/** Files with these endings are examples, whatever their beginning. */
const EXAMPLE = /\.(?:example|sample|template|dist)$/;

/**
 * Says why a file of a package is left out, or undefined when it belongs in.
 *
 * @param file Path inside the package.
 * @param extension Extension of archives, without its dot: earlier archives at the root stay out.
 */
export function ignoreReason(file: string, extension: string): IgnoreReason | undefined {
  const components = file.split('/');
  const name = components.pop() ?? '';
  if (SECRET_FILES.some((pattern) => pattern.test(name)) && !EXAMPLE.test(name)) return 'secret';
  if (components.some((component) => CLUTTER_DIRECTORIES.includes(component))) return 'clutter';
  if (CLUTTER_FILES.some((pattern) => pattern.test(name))) return 'clutter';
  return components.length === 0 && extension !== '' && name.endsWith(`.${extension}`) ? 'clutter' : undefined;
}

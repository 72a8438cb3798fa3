/**
 * A reference → a plugin's directory and the format that claims it. In this order:
 *
 * 1. a path: what starts with `/`, `./` or `../` must be there; anything else counts as a path when it is one;
 * 2. the id of an installed plugin;
 * 3. a name on the search path;
 * 4. a remote reference.
 */
import { statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, resolve } from 'node:path';
import { LocateError, ManifestError } from '../errors.ts';
import { didYouMean } from '../nearest-name.ts';
import { claimFormat } from './claim-format.ts';
import type { Located, LocatedSource, LocateOptions } from './located.ts';
import { searchNames } from './search-names.ts';

/** Plugins of machine code, which only the original hosts can load. */
const NATIVE_EXTENSIONS: ReadonlySet<string> = new Set(['.so', '.dylib', '.dll']);

/**
 * @param reference A directory, a manifest file, an archive, an installed id, a name on the search path, or a remote reference
 * @throws LocateError `REFERENCE_INVALID`, `PLUGIN_NOT_FOUND`, `PLUGIN_AMBIGUOUS`, `DOWNLOAD_FAILED`, `NATIVE_PLUGIN_UNSUPPORTED`
 * @throws ManifestError `FORMAT_UNKNOWN`, `FORMAT_AMBIGUOUS`
 * @throws the reason of `options.signal`
 */
export async function locate(reference: string, options: LocateOptions): Promise<Located> {
  options.signal?.throwIfAborted();
  if (reference.trim() === '' || reference.includes('\0')) {
    const state = reference.includes('\0') ? 'holds a zero byte' : 'is empty';
    throw new LocateError(
      'REFERENCE_INVALID',
      `Plugin reference ${state}, expected a path, a name or 'owner/repo@tag'`,
      {
        hint: 'Give the directory that the plugin is in',
      },
    );
  }
  const byPath = await locatePath(reference, options);
  if (byPath !== undefined && !(byPath instanceof ManifestError)) return byPath;
  const elsewhere = (await locateInstalled(reference, options)) ?? (await locateNamed(reference, options));
  if (elsewhere.located !== undefined) return elsewhere.located;
  // A directory of that name without a manifest: nothing else bears the name, so it was meant.
  if (byPath !== undefined) throw byPath;
  throw notFound(reference, elsewhere.names, elsewhere.cause);
}

/** A refusal stands in for the answer where another meaning of the reference may still be the right one. */
async function locatePath(reference: string, options: LocateOptions): Promise<Located | ManifestError | undefined> {
  const path = resolve(options.baseDir, reference);
  const kind = kindOf(path);
  const isExplicit = isAbsolute(reference) || /^\.{1,2}($|[\\/])/.test(reference);
  if (kind === 'absent') {
    if (!isExplicit) return undefined;
    throw new LocateError('PLUGIN_NOT_FOUND', `There is nothing at '${path}', expected a plugin`, {
      path,
      hint: isAbsolute(reference) ? 'Check the path' : `Relative paths start from '${options.baseDir}'`,
    });
  }
  if (kind === 'file') return locateFile({ path, reference, isExplicit }, options);
  try {
    const source = { kind: 'directory', reference } as const;
    return { directory: path, format: claimFormat(path, options.formats), source };
  } catch (error) {
    const isBareName = !isExplicit && !/[\\/]/.test(reference);
    if (isBareName && error instanceof ManifestError && error.code === 'FORMAT_UNKNOWN') return error;
    throw error;
  }
}

async function locateFile(
  file: { readonly path: string; readonly reference: string; readonly isExplicit: boolean },
  options: LocateOptions,
): Promise<Located | undefined> {
  const { path, reference } = file;
  const claim = options.formats.find((format) => format.manifestFile === basename(path));
  // The manifest itself says which of two formats is meant.
  if (claim !== undefined) {
    return { directory: dirname(path), format: claim.name, source: { kind: 'directory', reference } };
  }
  const extension = extname(path);
  if (NATIVE_EXTENSIONS.has(extension.toLowerCase())) {
    throw new LocateError('NATIVE_PLUGIN_UNSUPPORTED', `Plugin '${path}' is machine code, expected a Python plugin`, {
      path,
      hint: 'Only the system it was built for can load it',
    });
  }
  const isArchive = options.formats.some((format) => extension === `.${format.archiveExtension}`);
  // A bare name may happen to be the name of any file.
  if (!isArchive && !file.isExplicit && !/[\\/]/.test(reference)) return undefined;
  return unpack(path, { kind: 'archive', reference, detail: path }, options);
}

async function unpack(file: string, source: LocatedSource, options: LocateOptions): Promise<Located> {
  if (options.unpackArchive === undefined) {
    throw new LocateError('REFERENCE_INVALID', `'${file}' is a file, expected a plugin's directory`, { path: file });
  }
  const directory = resolve(await options.unpackArchive(file));
  options.signal?.throwIfAborted();
  return { directory, format: claimFormat(directory, options.formats), source };
}

/** What looking beyond paths came to, and what a hint may say when it came to nothing. */
interface Elsewhere {
  readonly located: Located | undefined;
  readonly names: readonly string[];
  readonly cause?: unknown;
}

async function locateInstalled(reference: string, options: LocateOptions): Promise<Elsewhere | undefined> {
  const installed = await options.lookUpInstalled?.(reference);
  options.signal?.throwIfAborted();
  if (installed === undefined) return undefined;
  const directory = resolve(options.baseDir, installed);
  const format = claimFormat(directory, options.formats);
  return { located: { directory, format, source: { kind: 'installed', reference } }, names: [] };
}

async function locateNamed(reference: string, options: LocateOptions): Promise<Elsewhere> {
  const isName = !/[\\/]/.test(reference);
  const search = isName ? searchNames(reference, options) : { found: undefined, names: [] };
  if (search.found !== undefined) return { located: search.found, names: search.names };
  const remote = options.parseRemote?.(reference);
  if (remote === undefined) return { located: undefined, names: search.names };
  if (options.fetchRemote === undefined) {
    throw new LocateError('REFERENCE_INVALID', `Reference '${reference}' is remote, expected one on this machine`, {
      hint: 'Allow remote plugins, or give a directory',
    });
  }
  const source: LocatedSource = {
    kind: remote.kind,
    reference,
    detail: `${remote.owner}/${remote.repository}@${remote.tag}`,
    remote,
  };
  try {
    const path = resolve(options.baseDir, await options.fetchRemote(remote));
    options.signal?.throwIfAborted();
    if (kindOf(path) === 'file') return { located: await unpack(path, source, options), names: [] };
    return { located: { directory: path, format: claimFormat(path, options.formats), source }, names: [] };
  } catch (error) {
    // A bare name is far more often mistyped than the name of a repository that is out of reach.
    const isBare = isName && !reference.includes('@');
    if (!isBare || !(error instanceof LocateError) || error.code !== 'DOWNLOAD_FAILED') throw error;
    return { located: undefined, names: search.names, cause: error };
  }
}

function notFound(reference: string, names: readonly string[], cause: unknown): LocateError {
  const hint = didYouMean(reference, names) ?? knownNames(names);
  const text = `No plugin '${reference}' was found, expected a path, an installed id or a name on the search path`;
  return new LocateError('PLUGIN_NOT_FOUND', text, { plugin: reference, hint, cause });
}

function knownNames(names: readonly string[]): string {
  if (names.length === 0) return 'Give the directory that the plugin is in';
  const shown = names.slice(0, 8).map((name) => `'${name}'`);
  return `On the search path are ${shown.join(', ')}${names.length > shown.length ? ', …' : ''}`;
}

function kindOf(path: string): 'file' | 'directory' | 'absent' {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts?.isDirectory() === true) return 'directory';
    return facts?.isFile() === true ? 'file' : 'absent';
  } catch {
    return 'absent';
  }
}

/** Entries of `plugins` in a pipeline manifest, and references of the same shapes (spec 2.1). Pure. */
import { type ErrorEvidence, LocateError } from '../../errors.ts';
import type { RemoteSource } from '../format.ts';

/** The organisation that a bare name belongs to. */
const CANONICAL_OWNER = 'RemoteMedia-SDK';

/** Where one entry leads. */
export type PluginEntry = { readonly kind: 'local'; readonly path: string } | RemoteSource;

/** The original's words for an entry that cannot be used, in `details.kind`. */
type Kind = 'EmptySpec' | 'UnrecognizedShorthand' | 'ExplicitSpecAmbiguous' | 'parse' | 'native' | 'native-url';

/**
 * R10 to R18: classifies one entry, a text or an object with exactly one of `url`, `name` and `path`.
 *
 * @throws LocateError `REFERENCE_INVALID`, with the original's kind in `details.kind`
 * @throws LocateError `NATIVE_PLUGIN_UNSUPPORTED` for a native library or an address of one
 */
export function parsePluginEntry(entry: unknown): PluginEntry {
  if (typeof entry === 'string') return parseShorthand(entry);
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return parseExplicit({ ...entry });
  const found = Array.isArray(entry) ? 'a list' : JSON.stringify(entry);
  throw refuse('parse', `A plugin entry is ${found}, a text or an object is expected`);
}

/**
 * A command-line reference of these shapes: only what cannot be a path or a plain name elsewhere, `owner/repo[@tag]`,
 * `name@tag` and `github.com/owner/repo[@tag]`.
 */
export function parseGithubReference(text: string): RemoteSource | undefined {
  if (!/^[^\s@]+(?:@\S+)?$/u.test(text) || (!text.includes('/') && !text.includes('@'))) return undefined;
  try {
    const entry = parseShorthand(text);
    return entry.kind === 'github' ? entry : undefined;
  } catch {
    return undefined;
  }
}

function parseExplicit(entry: Readonly<Record<string, unknown>>): PluginEntry {
  const fields = { url: entry['url'], name: entry['name'], path: entry['path'] };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  const [only] = given;
  if (only === undefined || given.length > 1) {
    const names = given.map(([name]) => `'${name}'`).join(' and ') || 'none of them';
    throw refuse(
      'ExplicitSpecAmbiguous',
      `A plugin entry has ${names}, exactly one of 'url', 'name' and 'path' is expected`,
    );
  }
  for (const key of [only[0], 'version', 'sha256']) {
    const value = entry[key];
    if (value !== undefined && value !== null && typeof value !== 'string') {
      throw refuse('parse', `'${key}' of a plugin entry is ${JSON.stringify(value)}, a text is expected`);
    }
  }
  const [key, value] = [only[0], String(only[1])];
  if (key === 'url') throw refuseUrl(value);
  if (key === 'path') return parseLocal(value);
  const version = typeof entry['version'] === 'string' ? entry['version'] : undefined;
  const source = parseShorthand(version === undefined ? value : `${value}@${version}`);
  return source.kind === 'github' && typeof entry['sha256'] === 'string'
    ? { ...source, sha256: entry['sha256'].toLowerCase() }
    : source;
}

function parseShorthand(given: string): PluginEntry {
  const text = given.trim();
  if (text === '') throw refuse('EmptySpec', 'A plugin entry is empty, a path or a name is expected');
  if (/^https?:\/\//u.test(text)) throw refuseUrl(text);
  if (/^\.{1,2}(?:\/|$)|^\//u.test(text) || isLibrary(text)) return parseLocal(text);
  const at = text.indexOf('@');
  const slug = at < 0 ? text : text.slice(0, at);
  const tag = at < 0 ? 'latest' : text.slice(at + 1);
  const repository = slug === '' || tag === '' ? undefined : parseSlug(slug);
  if (repository !== undefined) return { kind: 'github', ...repository, tag };
  throw refuse('UnrecognizedShorthand', `Plugin entry '${text}' is no path and no repository`, {
    hint: "Write './directory', 'owner/repository@tag' or 'name@tag'",
  });
}

/** `github:` is an extension: no scheme in the original, where such a slug fails at GitHub. */
function parseSlug(slug: string): Pick<RemoteSource, 'owner' | 'repository'> | undefined {
  const bare = slug.replace(/^github(?:\.com\/|:)(?=[^/]+\/[^/])/u, '').replace(/\/$/u, '');
  const words = bare.split('/');
  if (!words.every((word) => /^[A-Za-z0-9._-]+$/u.test(word) && !/^\.{1,2}$/u.test(word))) return undefined;
  const [first = '', second] = words;
  if (words.length === 2 && second !== undefined) return { owner: first, repository: second };
  return words.length === 1 && bare === slug ? { owner: CANONICAL_OWNER, repository: first } : undefined;
}

function parseLocal(path: string): PluginEntry {
  if (isLibrary(path)) {
    throw native('native', `'${path}' is a native library, native plugins are unsupported`, path);
  }
  return { kind: 'local', path };
}

function isLibrary(path: string): boolean {
  return /\.(?:so|dylib|dll)$/iu.test(path);
}

function refuseUrl(url: string): LocateError {
  return native(
    'native-url',
    `'${url}' is an address, which always means a native library: native plugins are unsupported`,
  );
}

function native(kind: Kind, message: string, path?: string): LocateError {
  return new LocateError('NATIVE_PLUGIN_UNSUPPORTED', message, {
    path,
    hint: 'Use a Python source plugin: a directory or a repository with a plugin.toml',
    details: { kind },
  });
}

function refuse(kind: Kind, message: string, more: ErrorEvidence = {}): LocateError {
  return new LocateError('REFERENCE_INVALID', message, { ...more, details: { kind } });
}

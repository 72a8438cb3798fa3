/**
 * A plugin from GitHub → a directory in the cache (spec of source plugins 2.3 to 2.6).
 *
 * Invariants: what was fetched once is used until it is refreshed on purpose; the archive's digest is checked before it is
 * unpacked, the tree's before it is used; nothing of a refused archive stays; one process at a time fetches one plugin.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { unpackPackage } from '../archive/unpack.ts';
import { ArchiveError, LocateError, ManifestError, TrustError } from '../errors.ts';
import type { RemoteSource } from '../formats/format.ts';
import { type ArchiveAnswer, fetchArchive, fetchText, type RequestOptions } from './download.ts';
import { GITHUB_BASES, type GithubBases } from './github-bases.ts';
import { type CacheEntry, GithubCache } from './github-cache.ts';

/** Options of `fetchGithub`. */
export interface GithubOptions {
  /** Directory of the cache; entries are below `plugins/` in it. */
  readonly cacheDir: string;
  /** Only `GITHUB_TOKEN` is read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the manifest that makes a repository a plugin. */
  readonly manifestFile: string;
  /** Throws for a manifest that no plugin here can have. */
  readonly checkManifest: (bytes: Uint8Array, path: string) => void;
  /** Holds the lock at a path, against all processes, while `work` runs. */
  readonly withLock: <T>(path: string, work: () => Promise<T>) => Promise<T>;
  /** @default GitHub's own */
  readonly bases?: GithubBases | undefined;
  /** Asks GitHub again and takes what it has now. @default false */
  readonly refresh?: boolean | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an archive of GitHub's may hold although it is odd: it unpacks to the same tree every time. */
const HARMLESS_FINDINGS: ReadonlySet<string> = new Set([
  'clashing-names',
  'reserved-name',
  'trailing-dot-or-blank',
  'not-utf8',
  'control-character',
  'drive',
]);

/** Most entries of an archive. */
const MAX_ENTRIES = 20_000;

/**
 * Brings a plugin here and returns its directory.
 *
 * @throws LocateError `DOWNLOAD_FAILED` (`details.kind`: `Http`, `HttpStatus`, `MissingTag`), `NATIVE_PLUGIN_UNSUPPORTED`
 * @throws ManifestError `MANIFEST_NOT_FOUND`, `MANIFEST_INVALID` (`BadPluginToml`)
 * @throws ArchiveError with `details.kind` `TarballExtract`
 * @throws TrustError `DIGEST_MISMATCH` (`Sha256Mismatch`)
 */
export async function fetchGithub(source: RemoteSource, options: GithubOptions): Promise<string> {
  const tag = source.tag === 'latest' ? await latestTag(source, options) : source.tag;
  const tagged: RemoteSource = { ...source, tag };
  checkTag(tagged);
  const cache = new GithubCache(options.cacheDir, tagged);
  const fetcher = new GithubFetch(tagged, cache, options);
  if (options.refresh !== true) {
    const cached = await fetcher.cached();
    if (cached !== undefined) return cached;
  }
  mkdirSync(cache.directory, { recursive: true });
  return options.withLock(cache.lock, async () => {
    // Somebody else may have fetched it while we waited for the lock.
    const cached = options.refresh === true ? undefined : await fetcher.cached();
    return cached ?? fetcher.fetch();
  });
}

async function latestTag(source: RemoteSource, options: GithubOptions): Promise<string> {
  const { owner, repository } = source;
  const { api } = options.bases ?? GITHUB_BASES;
  const answer = await fetchText(`${api}/repos/${owner}/${repository}/releases/latest`, requestOptions(options));
  if ('error' in answer && answer.status !== 404) throw answer.error;
  const tag = 'bytes' in answer ? tagName(answer.bytes) : undefined;
  if (tag !== undefined) return tag;
  throw new LocateError(
    'DOWNLOAD_FAILED',
    `Repository '${owner}/${repository}' has no release, expected one or a tag`,
    {
      hint: `Name a tag: '${owner}/${repository}@<tag>'`,
      cause: 'error' in answer ? answer.error : undefined,
      details: { kind: 'MissingTag' },
    },
  );
}

/** One fetch of one plugin. */
class GithubFetch {
  readonly #source: RemoteSource;
  readonly #cache: GithubCache;
  readonly #options: GithubOptions;
  readonly #bases: GithubBases;
  readonly #name: string;

  constructor(source: RemoteSource, cache: GithubCache, options: GithubOptions) {
    this.#source = source;
    this.#cache = cache;
    this.#options = options;
    this.#bases = options.bases ?? GITHUB_BASES;
    this.#name = `${source.owner}/${source.repository}@${source.tag}`;
  }

  /** The directory of what was fetched before, when it is whole and what is asked for. */
  async cached(): Promise<string | undefined> {
    const entry = this.#cache.entry();
    if (entry === undefined || !(await this.#cache.isWhole(entry))) return undefined;
    this.#checkDigest(entry.sha256);
    return this.#cache.treeOf(entry);
  }

  async fetch(): Promise<string> {
    const staging = mkdtempSync(join(this.#cache.directory, '.staging-'));
    try {
      const manifest = await this.#fetchManifest();
      const before = this.#cache.entry();
      const answer = await this.#fetchArchive(join(staging, 'archive'), before);
      if (answer.kind === 'unchanged' && before !== undefined) return this.#cache.treeOf(before);
      if (answer.kind !== 'fetched') throw new TypeError('An archive that is not there cannot be unchanged');
      this.#checkDigest(answer.sha256);
      this.#checkPin(answer.sha256, before);
      const tree = await this.#unpack(staging);
      this.#checkTree(tree, manifest);
      const { sha256, etag, url } = answer;
      return this.#cache.treeOf(await this.#cache.put(tree, { sha256, url, ...(etag === undefined ? {} : { etag }) }));
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }

  /** R19: a repository without the manifest is no plugin of ours, and perhaps a native one (R18). */
  async #fetchManifest(): Promise<Uint8Array> {
    const { owner, repository, tag } = this.#source;
    const { manifestFile } = this.#options;
    const address = `${this.#bases.raw}/${owner}/${repository}/${inPath(tag)}/${manifestFile}`;
    const answer = await fetchText(address, this.#request());
    if ('bytes' in answer) {
      this.#check(answer.bytes, address);
      return answer.bytes;
    }
    if (answer.status !== 404) throw answer.error;
    const release = `${this.#bases.release}/${owner}/${repository}/releases/download/${inPath(tag)}/release-manifest.json`;
    if ('bytes' in (await fetchText(release, this.#request()))) {
      throw new LocateError(
        'NATIVE_PLUGIN_UNSUPPORTED',
        `'${this.#name}' publishes native libraries and no '${manifestFile}', native plugins are unsupported`,
        { hint: 'Use a Python source plugin', details: { kind: 'native' } },
      );
    }
    throw new ManifestError(
      'MANIFEST_NOT_FOUND',
      `'${this.#name}' is not a source plugin: it has no '${manifestFile}'`,
      {
        cause: answer.error,
        details: { kind: 'not-a-source-plugin' },
      },
    );
  }

  /** A tag; where there is none of that name, a commit or a branch, which the original does not have. */
  async #fetchArchive(file: string, before: CacheEntry | undefined): Promise<ArchiveAnswer & { readonly url: string }> {
    const { owner, repository, tag } = this.#source;
    const base = `${this.#bases.codeload}/${owner}/${repository}/tar.gz`;
    const other = /^[0-9a-f]{7,64}$/u.test(tag) ? `${base}/${tag}` : `${base}/refs/heads/${inPath(tag)}`;
    let refusal: LocateError | undefined;
    for (const url of [`${base}/refs/tags/${inPath(tag)}`, other]) {
      const etag = before !== undefined && before.url === url ? before.etag : undefined;
      const answer = await fetchArchive(url, file, { ...this.#request(), etag });
      if (answer.kind !== 'refused') return { ...answer, url };
      refusal ??= answer.error;
      if (answer.status !== 404) throw answer.error;
    }
    throw refusal ?? new TypeError('No address was asked');
  }

  /** R20, R24: one top-level directory, everything checked before anything is written. */
  async #unpack(staging: string): Promise<string> {
    const { manifestFile, signal } = this.#options;
    try {
      const report = await unpackPackage({
        archive: join(staging, 'archive'),
        destination: join(staging, 'unpacked'),
        rules: { container: 'tar.gz' },
        manifestFile,
        name: 'source',
        limits: { maxEntries: MAX_ENTRIES },
        keepsInnerLinks: true,
        ...(signal === undefined ? {} : { signal }),
      });
      const refused = report.findings.find(({ kind }) => !HARMLESS_FINDINGS.has(kind));
      if (refused === undefined) return report.directory;
      throw new ArchiveError('ARCHIVE_UNSAFE', `${refused.message}, which GitHub never serves`);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      throw new ArchiveError(error.code, `The archive of '${this.#name}' is refused: ${error.message}`, {
        cause: error,
        details: { ...error.details, kind: 'TarballExtract' },
      });
    }
  }

  /** The manifest inside the archive is the one that counts. */
  #checkTree(tree: string, servedAlone: Uint8Array): void {
    const path = join(tree, this.#options.manifestFile);
    const inside = readFileSync(path);
    this.#check(inside, path);
    if (Buffer.compare(inside, servedAlone) === 0) return;
    const file = this.#options.manifestFile;
    this.#options.onWarning?.(
      `'${file}' of '${this.#name}' differs from the one in its archive, the archive's is used`,
    );
  }

  #check(bytes: Uint8Array, path: string): void {
    try {
      this.#options.checkManifest(bytes, path);
    } catch (error) {
      if (error instanceof LocateError) {
        throw new LocateError(error.code, `'${this.#name}': ${error.message}`, {
          cause: error,
          details: { kind: 'native' },
        });
      }
      if (!(error instanceof ManifestError)) throw error;
      throw new ManifestError(error.code, `'${this.#name}': ${error.message}`, {
        cause: error,
        path: error.path,
        line: error.line,
        column: error.column,
        key: error.key,
        hint: error.hint,
        details: { ...error.details, kind: 'BadPluginToml', reason: error.details?.['kind'] },
      });
    }
  }

  /** R23. */
  #checkDigest(actual: string): void {
    const expected = this.#source.sha256?.toLowerCase();
    if (expected === undefined || expected === actual) return;
    throw this.#mismatch(expected, actual, 'Check the digest in the manifest, or ask the author what was published');
  }

  /** R22: another archive under a name that was used before is taken only on purpose. */
  #checkPin(actual: string, before: CacheEntry | undefined): void {
    if (before === undefined || before.sha256 === actual || this.#options.refresh === true) return;
    if (this.#source.sha256?.toLowerCase() === actual) return;
    throw this.#mismatch(
      before.sha256,
      actual,
      'The tag has moved since it was first used: refresh to take what it is now',
    );
  }

  #mismatch(expected: string, actual: string, hint: string): TrustError {
    const message = `The archive of '${this.#name}' has SHA-256 '${actual}', '${expected}' is expected`;
    return new TrustError('DIGEST_MISMATCH', message, { hint, details: { kind: 'Sha256Mismatch', expected, actual } });
  }

  #request(): RequestOptions {
    return requestOptions(this.#options);
  }
}

function requestOptions({ env, signal }: GithubOptions): RequestOptions {
  const token = env['GITHUB_TOKEN'];
  return { signal, token: token === '' ? undefined : token };
}

function tagName(bytes: Uint8Array): string | undefined {
  try {
    const release: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const tag: unknown = typeof release === 'object' && release !== null ? Reflect.get(release, 'tag_name') : undefined;
    return typeof tag === 'string' && tag !== '' ? tag : undefined;
  } catch {
    return undefined;
  }
}

/** Names become parts of addresses and of paths. */
function checkTag({ owner, repository, tag }: RemoteSource): void {
  for (const word of [owner, repository, ...tag.split('/')]) {
    if (word !== '' && word !== '.' && word !== '..' && !/[\s\\\p{Cc}]/u.test(word)) continue;
    throw new LocateError('REFERENCE_INVALID', `'${owner}/${repository}@${tag}' names no tag, branch or commit`);
  }
}

function inPath(tag: string): string {
  return tag.split('/').map(encodeURIComponent).join('/').replaceAll('%40', '@');
}

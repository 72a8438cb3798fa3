import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManifestError } from '../errors.ts';
import { fetchGithub, type GithubOptions } from './github.ts';
import { maySeeToken } from './github-bases.ts';

let root: string;
let server: Server;
let requests: IncomingMessage[];
/** What the server has, by path; a text that starts with `->` redirects. */
let files: Map<string, Buffer | string>;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'charmer-github-'));
  files = new Map();
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    const found = files.get(request.url ?? '');
    if (typeof found === 'string' && found.startsWith('->'))
      response.writeHead(302, { location: found.slice(2) }).end();
    else response.writeHead(found === undefined ? 404 : 200, { etag: '"e"' }).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

function options(more: Partial<GithubOptions> = {}): GithubOptions {
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    cacheDir: join(root, 'cache'),
    env: {},
    manifestFile: 'plugin.toml',
    checkManifest: (bytes) => {
      if (Buffer.from(bytes).includes('broken')) throw new ManifestError('MANIFEST_INVALID', 'it is broken');
    },
    withLock: (_, work) => work(),
    bases: { api: `${base}/api`, raw: `${base}/raw`, codeload: `${base}/codeload`, release: `${base}/release` },
    ...more,
  };
}

/** Publishes a plugin whose code says `word`; the digest of its archive. */
function publish(word: string, path = 'refs/tags/v1'): string {
  const folder = join(root, 'tree', 'r-1');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.toml'), 'manifest');
  writeFileSync(join(folder, 'code.py'), word);
  const archive = execFileSync('tar', ['-czf', '-', '-C', join(root, 'tree'), 'r-1']);
  files.set(`/codeload/o/r/tar.gz/${path}`, archive);
  files.set(`/raw/o/r/${path.split('/').at(-1) ?? ''}/plugin.toml`, 'manifest');
  return createHash('sha256').update(archive).digest('hex');
}

const source = { kind: 'github', owner: 'o', repository: 'r', tag: 'v1' } as const;
const code = (directory: string): string => readFileSync(join(directory, 'code.py'), 'utf8');
const tarballs = (): number => requests.filter(({ url }) => url?.includes('/tar.gz/')).length;

describe('fetchGithub()', () => {
  it('fetchGithub() fetches once, without the top directory, and then works without the network (R20, R21)', async () => {
    publish('one');
    expect(code(await fetchGithub(source, options()))).toBe('one');
    const seen = requests.length;
    expect(code(await fetchGithub(source, options()))).toBe('one');
    expect(requests).toHaveLength(seen);
  });

  it('fetchGithub() asks for the latest release each time (R15)', async () => {
    publish('one');
    files.set('/api/repos/o/r/releases/latest', '{"tag_name": "v1"}');
    expect(code(await fetchGithub({ ...source, tag: 'latest' }, options()))).toBe('one');
    files.delete('/api/repos/o/r/releases/latest');
    await expect(fetchGithub({ ...source, tag: 'latest' }, options())).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      details: { kind: 'MissingTag' },
    });
  });

  it('fetchGithub() takes branches and commits where there is no such tag', async () => {
    publish('branch', 'refs/heads/main');
    expect(code(await fetchGithub({ ...source, tag: 'main' }, options()))).toBe('branch');
    publish('commit', 'abcdef0123');
    expect(code(await fetchGithub({ ...source, tag: 'abcdef0123' }, options()))).toBe('commit');
  });

  it('fetchGithub() checks a stated digest before it unpacks, and leaves nothing behind (R23)', async () => {
    const sha256 = publish('one');
    const wrong = fetchGithub({ ...source, sha256: '0'.repeat(64) }, options());
    await expect(wrong).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', details: { kind: 'Sha256Mismatch' } });
    await expect(wrong).rejects.toThrow(sha256);
    expect(readdirSync(join(root, 'cache', 'plugins'))).toEqual([]);
    expect(code(await fetchGithub({ ...source, sha256: sha256.toUpperCase() }, options()))).toBe('one');
  });

  it('fetchGithub() takes what a tag has become only when asked to refresh (R22)', async () => {
    publish('one');
    await fetchGithub(source, options());
    publish('two');
    expect(code(await fetchGithub(source, options()))).toBe('one');
    expect(code(await fetchGithub(source, options({ refresh: true })))).toBe('two');
    expect(code(await fetchGithub(source, options()))).toBe('two');
  });

  it('fetchGithub() notices a changed tree and fetches the same archive again', async () => {
    publish('one');
    const directory = await fetchGithub(source, options());
    appendFileSync(join(directory, 'code.py'), ' and more');
    expect(code(await fetchGithub(source, options()))).toBe('one');
    expect(tarballs()).toBe(2);
  });

  it('fetchGithub() refuses another archive in place of a damaged tree (R22)', async () => {
    publish('one');
    const directory = await fetchGithub(source, options());
    rmSync(directory, { recursive: true });
    publish('two');
    await expect(fetchGithub(source, options())).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('fetchGithub() fetches once for many at the same time (R25)', async () => {
    publish('one');
    let last: Promise<unknown> = Promise.resolve();
    const withLock: GithubOptions['withLock'] = (_, work) => {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    };
    const all = await Promise.all(Array.from({ length: 8 }, () => fetchGithub(source, options({ withLock }))));
    expect(new Set(all).size).toBe(1);
    expect(tarballs()).toBe(1);
  });

  it('fetchGithub() never hands the token to other hosts, redirects included (R26)', async () => {
    publish('one');
    const address = `/codeload/o/r/tar.gz/refs/tags/v1`;
    files.set('/elsewhere', files.get(address) ?? '');
    files.set(address, '->/elsewhere');
    expect(code(await fetchGithub(source, options({ env: { GITHUB_TOKEN: 'secret' } })))).toBe('one');
    expect(requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
    expect(maySeeToken(new URL('https://api.github.com/x'))).toBe(true);
    for (const other of [
      'http://api.github.com/x',
      'https://api.github.com.evil.example',
      'https://api.github.com:8443/',
    ]) {
      expect(maySeeToken(new URL(other))).toBe(false);
    }
  });

  it('fetchGithub() says what a repository without the manifest is (R18, R19)', async () => {
    await expect(fetchGithub(source, options())).rejects.toThrow("'o/r@v1' is not a source plugin");
    files.set('/release/o/r/releases/download/v1/release-manifest.json', '{}');
    await expect(fetchGithub(source, options())).rejects.toMatchObject({ code: 'NATIVE_PLUGIN_UNSUPPORTED' });
  });

  it('fetchGithub() tells a broken manifest from a missing archive (R1)', async () => {
    files.set('/raw/o/r/v1/plugin.toml', 'fine');
    await expect(fetchGithub(source, options())).rejects.toMatchObject({
      details: { kind: 'HttpStatus', status: 404 },
    });
    files.set('/raw/o/r/v1/plugin.toml', 'broken');
    await expect(fetchGithub(source, options())).rejects.toMatchObject({ details: { kind: 'BadPluginToml' } });
  });

  it.each(['..', 'a/../b', 'a b', ''])('fetchGithub() refuses the tag %j before any request', async (tag) => {
    await expect(fetchGithub({ ...source, tag }, options())).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
    expect(requests).toEqual([]);
  });

  it('fetchGithub() names the server that cannot be reached', async () => {
    const { bases, ...rest } = options();
    const unreachable = { ...rest, bases: { ...bases!, raw: 'http://127.0.0.1:9' } };
    await expect(fetchGithub(source, unreachable)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      details: { kind: 'Http' },
    });
  });
});

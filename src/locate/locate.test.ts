import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocateError } from '../errors.ts';
import type { FormatClaim } from './claim-format.ts';
import { locate } from './locate.ts';
import type { Identity, LocateOptions } from './located.ts';

const FORMATS: readonly FormatClaim[] = [
  { name: 'one', manifestFile: 'one.json', archiveExtension: 'one' },
  { name: 'two', manifestFile: 'two.json', archiveExtension: 'two' },
];

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-locate-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function plugin(path: string, identity?: Identity, manifest = 'one.json'): string {
  const directory = join(root, path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, manifest), JSON.stringify(identity ?? null));
  return directory;
}

/** Reads what `plugin` wrote, as a format would. */
function readId(directory: string, format: string): Identity | undefined {
  const identity = JSON.parse(readFileSync(join(directory, `${format}.json`), 'utf8')) as Identity | null;
  return identity ?? undefined;
}

function options(more: Partial<LocateOptions> = {}): LocateOptions {
  return { formats: FORMATS, searchPath: [join(root, 'plugins')], baseDir: root, readId, ...more };
}

async function failure(reference: string, more: Partial<LocateOptions> = {}): Promise<unknown> {
  return locate(reference, options(more)).then(
    (located) => ({ located }),
    (error: unknown) => error,
  );
}

describe('locate() with a path', () => {
  it('locate() finds a directory by relative, dotted and absolute paths', async () => {
    const directory = plugin('work/greeter');
    for (const reference of ['work/greeter', './work/greeter/', 'work/../work/greeter', directory]) {
      expect(await locate(reference, options())).toEqual({
        directory,
        format: 'one',
        source: { kind: 'directory', reference },
      });
    }
    expect(await locate('.', options({ baseDir: directory }))).toMatchObject({ directory });
    expect(await locate('..', options({ baseDir: join(directory, 'inner') }))).toMatchObject({ directory });
  });

  it('locate() keeps a linked directory as it was written (O58)', async () => {
    const target = plugin('work/greeter');
    symlinkSync(target, join(root, 'link'));
    expect(await locate('./link', options())).toMatchObject({ directory: join(root, 'link') });
  });

  it('locate() takes a manifest file for its directory, and for the answer where two formats claim it', async () => {
    const directory = plugin('both');
    plugin('both', undefined, 'two.json');
    expect(await locate('both/two.json', options())).toMatchObject({ directory, format: 'two' });
    expect(await failure('./both')).toMatchObject({ code: 'FORMAT_AMBIGUOUS' });
  });

  it('locate() says that nothing is at an explicit path, whatever the search path holds', async () => {
    plugin('plugins/greeter', { id: 'greeter' });
    expect(await failure('./greeter')).toMatchObject({
      code: 'PLUGIN_NOT_FOUND',
      message: `There is nothing at '${join(root, 'greeter')}', expected a plugin`,
      hint: `Relative paths start from '${root}'`,
    });
    expect(await failure('/no/such/place')).toMatchObject({ code: 'PLUGIN_NOT_FOUND', hint: 'Check the path' });
  });

  it('locate() says which manifests a directory lacks', async () => {
    mkdirSync(join(root, 'empty'));
    expect(await failure('./empty')).toMatchObject({ code: 'FORMAT_UNKNOWN' });
    expect(await failure('empty')).toMatchObject({ code: 'FORMAT_UNKNOWN' });
  });

  it('locate() prefers a plugin on the search path to a bare directory without a manifest', async () => {
    mkdirSync(join(root, 'greeter'));
    const directory = plugin('plugins/greeter', { id: 'greeter' });
    expect(await locate('greeter', options())).toMatchObject({ directory, source: { kind: 'search' } });
  });

  it('locate() unpacks an archive and claims what was in it', async () => {
    const directory = plugin('unpacked');
    writeFileSync(join(root, 'greeter.one'), 'archive');
    const unpacked: string[] = [];
    const unpackArchive = async (file: string): Promise<string> => {
      unpacked.push(file);
      return directory;
    };
    const file = join(root, 'greeter.one');
    expect(await locate('greeter.one', options({ unpackArchive }))).toEqual({
      directory,
      format: 'one',
      source: { kind: 'archive', reference: 'greeter.one', detail: file },
    });
    writeFileSync(join(root, 'custom.plug'), 'archive');
    await locate('./custom.plug', options({ unpackArchive }));
    expect(unpacked).toEqual([file, join(root, 'custom.plug')]);
    expect(await failure('./greeter.one')).toMatchObject({ code: 'REFERENCE_INVALID' });
  });

  it('locate() refuses machine code and names what it is', async () => {
    writeFileSync(join(root, 'libecho.SO'), '');
    expect(await failure('./libecho.SO')).toMatchObject({ code: 'NATIVE_PLUGIN_UNSUPPORTED' });
  });

  it.each(['', '  ', 'a\0b'])('locate() refuses the reference %j', async (reference) => {
    expect(await failure(reference)).toMatchObject({ code: 'REFERENCE_INVALID' });
  });
});

describe('locate() with a name', () => {
  it('locate() finds a plugin by its id, and by its directory where no id says so', async () => {
    const directory = plugin('plugins/dir-a', { id: 'greeter', version: '1.0.0' });
    const source = { kind: 'search', reference: 'greeter', detail: join(root, 'plugins') };
    expect(await locate('greeter', options())).toEqual({ directory, format: 'one', source });
    expect(await locate('dir-a', options())).toMatchObject({ directory });
  });

  it('locate() prefers an id to the name of another directory', async () => {
    plugin('plugins/greeter', { id: 'other' });
    const directory = plugin('plugins/renamed', { id: 'greeter' });
    expect(await locate('greeter', options())).toMatchObject({ directory });
  });

  it('locate() refuses two plugins of one id, lists their versions and takes the version as an answer (FW15)', async () => {
    const old = plugin('plugins/a', { id: 'greeter', version: '1.0.0' });
    const young = plugin('plugins/b', { id: 'greeter', version: '2.0.0' });
    expect(await failure('greeter')).toMatchObject({
      code: 'PLUGIN_AMBIGUOUS',
      message: `Name 'greeter' stands for 2 plugins: '${old}' (1.0.0), '${young}' (2.0.0); expected one`,
      hint: "Name the version, for example 'greeter@1.0.0', or give the directory",
    });
    expect(await locate('greeter@2.0.0', options())).toMatchObject({ directory: young });
  });

  it('locate() counts a plugin that two links lead to once', async () => {
    const directory = plugin('plugins/a', { id: 'greeter' });
    symlinkSync(directory, join(root, 'plugins', 'b'));
    expect(await locate('greeter', options())).toMatchObject({ directory });
  });

  it('locate() asks for installed plugins before the search path', async () => {
    plugin('plugins/a', { id: 'greeter' });
    const directory = plugin('store/greeter');
    const lookUpInstalled = async (id: string): Promise<string | undefined> =>
      id === 'greeter' ? directory : undefined;
    expect(await locate('greeter', options({ lookUpInstalled }))).toMatchObject({
      directory,
      source: { kind: 'installed' },
    });
  });

  it('locate() names the nearest plugin when there is none of that name', async () => {
    plugin('plugins/a', { id: 'greeter' });
    expect(await failure('greter')).toMatchObject({ code: 'PLUGIN_NOT_FOUND', hint: "Did you mean 'greeter'?" });
    expect(await failure('wholly-different')).toMatchObject({ hint: "On the search path are 'greeter'" });
  });

  it('locate() goes on past broken manifests', async () => {
    const directory = plugin('plugins/a', { id: 'greeter' });
    plugin('plugins/broken');
    expect(await locate('greeter', options())).toMatchObject({ directory });
  });
});

describe('locate() with a remote reference', () => {
  const source = { kind: 'github', owner: 'owner', repository: 'repo', tag: 'v1' } as const;
  const parseRemote: LocateOptions['parseRemote'] = (text) =>
    text.startsWith('owner/') || text === 'greter' ? source : undefined;

  it('locate() fetches what is neither a path nor a name', async () => {
    const directory = plugin('fetched');
    const fetchRemote = async (): Promise<string> => directory;
    expect(await locate('owner/repo@v1', options({ parseRemote, fetchRemote }))).toEqual({
      directory,
      format: 'one',
      source: { kind: 'github', reference: 'owner/repo@v1', detail: 'owner/repo@v1', remote: source },
    });
  });

  it('locate() prefers a directory that is there', async () => {
    const directory = plugin('owner/repo');
    expect(await locate('owner/repo', options({ parseRemote }))).toMatchObject({ directory });
  });

  it('locate() refuses remote references where none may be fetched', async () => {
    expect(await failure('owner/repo@v1', { parseRemote })).toMatchObject({ code: 'REFERENCE_INVALID' });
  });

  it('locate() takes a bare name that no repository answers to for a mistyped one', async () => {
    plugin('plugins/a', { id: 'greeter' });
    const download = new LocateError('DOWNLOAD_FAILED', 'No such repository');
    const fetchRemote = async (): Promise<string> => Promise.reject(download);
    expect(await failure('greter', { parseRemote, fetchRemote })).toMatchObject({
      code: 'PLUGIN_NOT_FOUND',
      hint: "Did you mean 'greeter'?",
      cause: download,
    });
    expect(await failure('owner/repo@v1', { parseRemote, fetchRemote })).toBe(download);
  });

  it('locate() rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    expect(await failure('owner/repo@v1', { signal: AbortSignal.abort(reason) })).toBe(reason);
    const controller = new AbortController();
    const fetchRemote = async (): Promise<string> => {
      controller.abort(reason);
      return plugin('fetched');
    };
    expect(await failure('owner/repo@v1', { parseRemote, fetchRemote, signal: controller.signal })).toBe(reason);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  closePluginRunner,
  createObscuraRunner,
  decryptAuthValue,
  encryptAuthValue,
  fanOut,
  ManifestParseError,
  normalizeMovieResult,
  PluginExecutionError,
  readManifest,
  resolvePluginAuth,
  runNativePythonPlugin,
  runNativePythonPluginBatch,
  validateManifest,
} from './obscura.ts';

const MANIFEST = `id: films
name: Films
version: 1.0.0
runtime: python
script: [python, main.py]
auth: [{key: API_KEY}]
capabilities: {movieByName: true, supportsBatch: true}
`;

/** A plugin as its author writes it: one film, one way to fail, one way to be slow. */
const SCRIPT = `import json, os, sys, time
envelope = json.load(sys.stdin)
def answer(given):
    title = given.get('title')
    if title == 'slow':
        time.sleep(30)
    if title == 'crash':
        sys.stderr.write('out of film\\n')
        os._exit(3)
    return {'title': title, 'key': envelope['auth'].get('API_KEY'), 'pid': os.getpid()}
if envelope.get('input', {}).get('title') == 'refused':
    print(json.dumps({'ok': False, 'error': 'quota used up'}))
elif 'batch' in envelope:
    rows = [{'id': item['id'], 'result': answer(item['input'])} for item in envelope['batch']]
    print(json.dumps({'ok': True, 'results': rows}))
else:
    print(json.dumps({'ok': True, 'result': answer(envelope.get('input', {}))}))
`;

let root: string;
let directory: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'charmer-door-')));
  directory = join(root, 'films');
  mkdirSync(directory);
  writeFileSync(join(directory, 'manifest.yml'), MANIFEST);
  writeFileSync(join(directory, 'main.py'), SCRIPT);
});

afterAll(async () => {
  await closePluginRunner();
  rmSync(root, { recursive: true, force: true });
});

async function failure(work: Promise<unknown>): Promise<PluginExecutionError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PluginExecutionError) return error;
  throw new Error('expected a PluginExecutionError', { cause: error });
}

describe('runNativePythonPlugin()', () => {
  it('answers as the original’s callers expect: manifest, directory, action, input, keys', async () => {
    const manifest = readManifest(directory);
    const result = await runNativePythonPlugin<{ title: string }>(
      manifest,
      directory,
      'movieByName',
      { title: 'Blade' },
      { API_KEY: 'k-1' },
    );
    expect(result).toMatchObject({ title: 'Blade', key: 'k-1' });
    expect(normalizeMovieResult(result)).toMatchObject({ title: 'Blade', genres: [] });
  });

  it('starts a fresh process for every call (O46)', async () => {
    const manifest = readManifest(directory);
    const pids = await Promise.all(
      ['a', 'b'].map((title) =>
        runNativePythonPlugin<{ pid: number }>(manifest, directory, 'movieByName', { title }, {}),
      ),
    );
    expect(new Set(pids.map((each) => each?.pid)).size).toBe(2);
  });

  it('sends an empty input where none is given (O14)', async () => {
    const result = await runNativePythonPlugin(readManifest(directory), directory, 'movieByName', undefined, {});
    expect(result).toMatchObject({ title: null });
  });

  it('runs the manifest that it is given, whatever the file says, and the script as it is now (O1)', async () => {
    const edited = join(root, 'edited');
    mkdirSync(edited);
    const write = (text: string) =>
      writeFileSync(join(edited, 'main.py'), `import json\nprint(json.dumps({'ok': True, 'result': '${text}'}))\n`);
    writeFileSync(join(edited, 'manifest.yml'), MANIFEST.replace('main.py', 'gone.py'));
    write('one');
    const manifest = { ...readManifest(edited), script: ['python3', 'main.py'] };
    expect(await runNativePythonPlugin(manifest, edited, 'movieByName', {}, {})).toBe('one');
    write('two');
    expect(await runNativePythonPlugin(manifest, edited, 'movieByName', {}, {})).toBe('two');
    const unread = await failure(runNativePythonPlugin(readManifest(edited), edited, 'movieByName', {}, {}));
    expect(unread).toMatchObject({ kind: 'exit', exitCode: 2 });
  });

  it('rejects with the original’s error and the facts that it left out (O47, W41)', async () => {
    const error = await failure(
      runNativePythonPlugin(readManifest(directory), directory, 'movieByName', { title: 'crash' }, {}),
    );
    expect(error).toMatchObject({
      name: 'PluginExecutionError',
      message: 'Plugin exited with code 3',
      pluginId: 'films',
      action: 'movieByName',
      kind: 'exit',
      exitCode: 3,
      signal: null,
      stdoutSample: '',
      stderrTail: ['out of film'],
    });
    expect(error.stderr).toBe('out of film\n');
    expect(error.durationMs).toBeGreaterThan(0);
  });

  it('rejects with the plugin’s own text, bare (O22, O50)', async () => {
    const error = await failure(
      runNativePythonPlugin(readManifest(directory), directory, 'movieByName', { title: 'refused' }, {}),
    );
    expect(error).toMatchObject({ message: 'quota used up', kind: 'plugin', stderr: '' });
  });

  it('rejects at its deadline with the original’s text (O24, W3)', async () => {
    const manifest = readManifest(directory);
    const error = await failure(
      runNativePythonPlugin(manifest, directory, 'movieByName', { title: 'slow' }, {}, { timeoutMs: 300 }),
    );
    expect(error).toMatchObject({ message: 'Plugin timed out after 300ms', kind: 'timeout' });
  });

  it.each([0, -1, Number.NaN, Infinity, 2 ** 31])(
    'refuses the deadline %s before it starts anything (W8)',
    async (timeoutMs) => {
      const error = await failure(
        runNativePythonPlugin(readManifest(directory), directory, 'movieByName', {}, {}, { timeoutMs }),
      );
      expect(error).toMatchObject({ kind: 'argument' });
      expect(error.message).toContain('timeoutMs');
    },
  );

  it('rejects without a script, with neither a process nor a stderr (O7)', async () => {
    const { script: _script, ...manifest } = readManifest(directory);
    const error = await failure(runNativePythonPlugin(manifest, directory, 'movieByName', {}, {}));
    expect(error).toMatchObject({ message: 'Plugin "films" has no script defined', kind: 'no-script' });
    expect(error).not.toHaveProperty('stderr');
  });

  it('tells a missing directory from a missing command (W33)', async () => {
    const manifest = readManifest(directory);
    const gone = await failure(runNativePythonPlugin(manifest, join(root, 'gone'), 'movieByName', {}, {}));
    expect(gone.message).toBe(`Failed to spawn plugin: its directory '${join(root, 'gone')}' does not exist`);
    const missing = await failure(
      runNativePythonPlugin({ ...manifest, script: ['no-such-command'] }, directory, 'movieByName', {}, {}),
    );
    expect(missing).toMatchObject({ message: 'Failed to spawn plugin: spawn no-such-command ENOENT', kind: 'spawn' });
  });

  it('rejects with the platform’s TypeError for an input that JSON cannot hold (§2.1)', async () => {
    await expect(
      runNativePythonPlugin(readManifest(directory), directory, 'movieByName', { n: 1n }, {}),
    ).rejects.toBeInstanceOf(TypeError);
  });

  it('rejects with the reason of its signal (W34)', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(
      runNativePythonPlugin(readManifest(directory), directory, 'movieByName', { title: 'slow' }, {}, { signal }),
    ).rejects.toBe(reason);
  });

  it('keeps no program waiting for its processes', () => {
    const door = join(import.meta.dirname, 'obscura.ts');
    const program = `import { readManifest, runNativePythonPlugin } from ${JSON.stringify(door)};
const result = await runNativePythonPlugin(readManifest(${JSON.stringify(directory)}), ${JSON.stringify(directory)}, 'movieByName', { title: 'Blade' }, {});
console.log(result.title);`;
    const output = execFileSync('npx', ['tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(output.trim()).toBe('Blade');
  });
});

describe('runNativePythonPluginBatch()', () => {
  const items = (...titles: readonly string[]) => titles.map((title, index) => ({ id: `i${index}`, input: { title } }));

  it('gives a row per item from one process (O28)', async () => {
    const rows = await runNativePythonPluginBatch(
      readManifest(directory),
      directory,
      'movieByName',
      items('A', 'B'),
      {},
    );
    expect(rows).toMatchObject([
      { id: 'i0', result: { title: 'A' } },
      { id: 'i1', result: { title: 'B' } },
    ]);
  });

  it('gives no rows for no items, without a process (§2.1)', async () => {
    let processes = 0;
    const options = { onReport: () => void (processes += 1) };
    expect(
      await runNativePythonPluginBatch(readManifest(directory), directory, 'movieByName', [], {}, options),
    ).toEqual([]);
    expect(processes).toBe(0);
  });

  it('rejects as a whole where the original does, and keeps what is done where it is asked to (W15)', async () => {
    const manifest = readManifest(directory);
    const error = await failure(
      runNativePythonPluginBatch(manifest, directory, 'movieByName', items('A', 'crash', 'C'), {}),
    );
    expect(error.message).toBe('Plugin batch exited with code 3');
    const rows = await runNativePythonPluginBatch(
      manifest,
      directory,
      'movieByName',
      items('A', 'crash', 'C'),
      {},
      { isolate: true },
    );
    expect(rows).toMatchObject([
      { result: { title: 'A' } },
      { result: null, error: { name: 'PluginExecutionError' } },
      { result: { title: 'C' } },
    ]);
  });

  it('gives the plugin’s own rows to a strict call (O19)', async () => {
    const script = ['python3', '-c', `print('{"results":[{"id":"zz","score":1},7]}')`];
    const manifest = { ...readManifest(directory), script };
    const rows = await runNativePythonPluginBatch(manifest, directory, 'a', items('A'), {}, { strict: true });
    expect(rows).toEqual([{ id: 'zz', score: 1 }, 7]);
  });

  it('starts a process per item for a manifest that refuses batches (O27)', async () => {
    const manifest = { ...readManifest(directory), capabilities: { supportsBatch: false } };
    const rows = await runNativePythonPluginBatch(manifest, directory, 'movieByName', items('A', 'B', 'refused'), {});
    const pids = rows.slice(0, 2).map(({ result }) => (result as { pid: number }).pid);
    expect(new Set(pids).size).toBe(2);
    expect(rows[2]).toMatchObject({ id: 'i2', result: null, error: { message: 'quota used up' } });
  });

  it('is what fanOut() is for where the caller does it by hand', async () => {
    const manifest = readManifest(directory);
    const rows = await fanOut(items('A', 'refused'), (input) =>
      runNativePythonPlugin<{ title: string }>(manifest, directory, 'movieByName', input, {}),
    );
    expect(rows).toMatchObject([
      { id: 'i0', result: { title: 'A' } },
      { id: 'i1', result: null, error: 'quota used up' },
    ]);
  });
});

describe('createObscuraRunner()', () => {
  it('tells what is odd about a reply to who wants to know (W28)', async () => {
    const runner = createObscuraRunner();
    const kinds: string[] = [];
    try {
      await runner.runNativePythonPlugin(
        readManifest(directory),
        directory,
        'movieByName',
        { title: 'A' },
        {},
        {
          onReport: ({ diagnostics }) => void kinds.push(...diagnostics.map(({ kind }) => kind)),
        },
      );
    } finally {
      await runner.close();
    }
    expect(kinds).toEqual(['auth-missing']);
  });
});

describe('readManifest() and validateManifest()', () => {
  it('throw ManifestParseError with the directory, and where the fault is', () => {
    expect(() => validateManifest({ id: 5 }, directory)).toThrow(ManifestParseError);
    const broken = join(root, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'manifest.yml'), MANIFEST.replace('1.0.0', '1.0'));
    let error: unknown;
    try {
      readManifest(broken);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ name: 'ManifestParseError', pluginPath: broken, line: 3, key: 'version' });
    expect(() => readManifest(join(root, 'gone'))).toThrow(`Cannot read manifest.yml in ${join(root, 'gone')}`);
  });

  it('lets the parser’s own exception through, with line and column from 1 (O2)', () => {
    const broken = join(root, 'twice');
    mkdirSync(broken);
    writeFileSync(join(broken, 'manifest.yml'), `${MANIFEST}id: again\n`);
    expect(() => readManifest(broken)).toThrow(
      expect.objectContaining({ name: 'YAMLException', reason: 'duplicated mapping key', line: 8, column: 1 }),
    );
  });
});

describe('keys at rest', () => {
  it('are sealed under OBSCURA_SECRET and refused without it (O35)', async () => {
    const before = process.env['OBSCURA_SECRET'];
    try {
      process.env['OBSCURA_SECRET'] = 'a secret of more than thirty-two characters';
      const sealed = encryptAuthValue('k-1');
      expect(decryptAuthValue(sealed)).toBe('k-1');
      expect(await resolvePluginAuth('films', [{ authKey: 'API_KEY', encryptedValue: sealed }])).toEqual({
        API_KEY: 'k-1',
      });
      expect(() => decryptAuthValue('a:b')).toThrow('Invalid encrypted auth value format');
      delete process.env['OBSCURA_SECRET'];
      expect(() => encryptAuthValue('k-1')).toThrow('OBSCURA_SECRET is required');
      expect(await resolvePluginAuth('films', [{ authKey: 'API_KEY', encryptedValue: sealed }])).toEqual({});
    } finally {
      if (before === undefined) delete process.env['OBSCURA_SECRET'];
      else process.env['OBSCURA_SECRET'] = before;
    }
  });
});

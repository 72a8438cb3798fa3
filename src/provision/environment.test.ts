import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProvisionError } from '../errors.ts';
import { ensureEnvironment, type Environment } from './environment.ts';
import { METADATA_FILE, placeOf } from './environment-store.ts';
import { findInterpreter, type Interpreter } from './interpreter.ts';
import type { ProvisionOptions, ProvisionProgress } from './provision-options.ts';
import { makeWheel } from './test-wheel.case.ts';
import { bringUv, type Uv } from './uv.ts';

let interpreter: Interpreter;
let uv: Uv | undefined;
let tools: string;
let root: string;
let cacheDir: string;
let progress: ProvisionProgress[];

beforeAll(async () => {
  interpreter = await findInterpreter({ env: process.env });
  tools = realpathSync(mkdtempSync(join(tmpdir(), 'charmer-tools-')));
  makeWheel(interpreter.path, join(tools, 'wheels'), { name: 'charmer_sample', version: '1.0' });
  // The one that the set-up of this repository brought, or one fetched for these tests.
  const ours = fileURLToPath(new URL('../../.tools/venv/bin/uv', import.meta.url));
  const hostEnv = existsSync(ours) ? { ...process.env, UV_BINARY_PATH: ours } : process.env;
  uv = await bringUv(interpreter, { cacheDir: tools, hostEnv });
  return () => rmSync(tools, { recursive: true, force: true });
}, 120_000);

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'charmer-environment-')));
  cacheDir = join(root, 'cache');
  progress = [];
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function options(more: Partial<ProvisionOptions> = {}): ProvisionOptions {
  const hostEnv = { ...process.env, ...(uv === undefined ? {} : { UV_BINARY_PATH: uv.path }) };
  const wheelDir = join(tools, 'wheels');
  return { cacheDir, hostEnv, wheelDir, onProgress: (event) => progress.push(event), ...more };
}

async function ensure(requirements: readonly string[], more: Partial<ProvisionOptions> = {}): Promise<Environment> {
  return ensureEnvironment({ requirements, interpreter, seesBase: false, plugin: 'sample' }, options(more));
}

async function failure(requirements: readonly string[], more: Partial<ProvisionOptions> = {}): Promise<unknown> {
  return ensure(requirements, more).then(
    () => expect.unreachable('it was installed'),
    (error: unknown) => error,
  );
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', env: {}, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** Nothing but complete environments, and no lock. */
function leftovers(): string[] {
  const { root: environments } = placeOf(cacheDir, '');
  return ['.staging', '.locks'].flatMap((name) => {
    const directory = join(environments, name);
    return existsSync(directory) ? readdirSync(directory) : [];
  });
}

describe('ensureEnvironment()', () => {
  it.each(['uv', 'pip'])(
    'ensureEnvironment() installs with %s from a directory of wheels (R51, R55)',
    async (installer) => {
      // Without uv, venv and pip do the work, with a warning.
      const made = await ensure(
        ['charmer-sample==1.0'],
        installer === 'uv' ? {} : { hostEnv: { PATH: '/usr/bin:/bin' } },
      );
      expect(progress.filter(({ phase }) => phase === 'warning')).toHaveLength(installer === 'uv' ? 0 : 1);
      expect(made).toMatchObject({ isNew: true, directory: join(cacheDir, 'environments', made.key) });
      expect(run(made.python, '-c', 'import charmer_sample, sys; print(charmer_sample.VERSION, sys.prefix)')).toBe(
        `1.0 ${made.directory}`,
      );
      // Its commands know where they are, although the environment was built elsewhere.
      expect(run(join(made.directory, 'bin', 'charmer_sample'))).toBe('charmer_sample 1.0');
      const metadata: unknown = JSON.parse(readFileSync(join(made.directory, METADATA_FILE), 'utf8'));
      expect(metadata).toMatchObject({
        requirements: ['charmer-sample==1.0'],
        pythonVersion: interpreter.version,
        basePython: interpreter.path,
        installer: installer === 'pip' ? 'pip' : `uv ${uv?.version}`,
      });
      expect(progress.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['environment', 'install', 'compile']));
      expect(leftovers()).toEqual([]);
    },
  );

  it('ensureEnvironment() compiles byte-code to where the runner looks for it', async () => {
    const made = await ensure(['charmer-sample']);
    const byteCode = join(cacheDir, 'bytecode');
    const cached = run(
      made.python,
      '-X',
      `pycache_prefix=${byteCode}`,
      '-c',
      'import charmer_sample; print(charmer_sample.__cached__)',
    );
    expect(existsSync(cached)).toBe(true);
    expect(
      readdirSync(join(made.directory, 'lib'), { recursive: true }).filter((name) =>
        String(name).includes('charmer_sample/__pycache__'),
      ),
    ).toEqual([]);
  });

  it('ensureEnvironment() shares an environment between equal plugins and runs nothing for it (R49, R50)', async () => {
    const first = await ensure(['charmer-sample']);
    progress = [];
    // No PATH, no uv and no wheels: whatever it started would fail.
    const second = await ensure(['Charmer_Sample'], { hostEnv: {}, wheelDir: join(root, 'absent'), offline: true });
    expect(second).toEqual({ ...first, isNew: false });
    expect(progress).toEqual([]);
  });

  it('ensureEnvironment() keeps packages of one plugin from another (R48)', async () => {
    makeWheel(interpreter.path, join(root, 'wheels'), { name: 'charmer_other', version: '2.0' });
    const sample = await ensure(['charmer-sample']);
    const other = await ensure(['charmer-other'], { wheelDir: join(root, 'wheels') });
    expect(other.directory).not.toBe(sample.directory);
    expect(() => run(other.python, '-c', 'import charmer_sample')).toThrow(/No module named 'charmer_sample'/);
  });

  it('ensureEnvironment() builds once when many ask at the same time (R56)', async () => {
    const all = await Promise.all([1, 2, 3].map(() => ensure(['charmer-sample'])));
    expect(all.map(({ isNew }) => isNew).sort()).toEqual([false, false, true]);
    expect(new Set(all.map(({ directory }) => directory)).size).toBe(1);
  });

  it('ensureEnvironment() makes a damaged environment anew', async () => {
    const first = await ensure(['charmer-sample']);
    rmSync(join(first.directory, METADATA_FILE));
    expect(await ensure(['charmer-sample'])).toEqual(first);
  });

  it.each(['uv', 'pip'] as const)(
    'ensureEnvironment() fails with the words of %s and leaves nothing behind (R53)',
    async (installer) => {
      const error = await failure(['charmer-absent>=3'], { installer });
      expect(error).toBeInstanceOf(ProvisionError);
      expect(error).toMatchObject({
        code: 'DEPENDENCIES_FAILED',
        plugin: 'sample',
        message: expect.stringContaining('the index has no such package or version'),
        stderrTail: expect.arrayContaining([expect.stringContaining('charmer-absent')]),
      });
      expect(leftovers()).toEqual([]);
      expect(readdirSync(join(cacheDir, 'environments')).filter((name) => !name.startsWith('.'))).toEqual([]);
    },
  );

  it.each(['--index-url http://127.0.0.1:9', '-e /somewhere', 'charmer-sample\n--no-index'])(
    'ensureEnvironment() does not let a manifest configure the installer: %j',
    async (line) => {
      expect(await failure([line])).toMatchObject({ code: 'DEPENDENCIES_FAILED' });
      expect(progress).toEqual([]);
    },
  );

  it('ensureEnvironment() gives up when the caller does, and leaves nothing behind', async () => {
    // An index that never answers, which the test owns.
    const index = createServer().listen(0, '127.0.0.1');
    const asked = new Promise<void>((resolve) => index.once('connection', () => resolve()));
    await new Promise((resolve) => index.once('listening', resolve));
    const address = index.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const controller = new AbortController();
    const hostEnv = { ...options().hostEnv, UV_DEFAULT_INDEX: `http://127.0.0.1:${port}/simple` };
    const installing = failure(['charmer-slow'], { hostEnv, wheelDir: undefined, signal: controller.signal });
    await asked;
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await installing).toBe(reason);
    expect(leftovers()).toEqual([]);
    index.close();
  });

  it("ensureEnvironment() shows the base's packages where the plugin may see them", async () => {
    const base = join(root, 'base');
    execFileSync(interpreter.path, ['-m', 'venv', '--without-pip', base]);
    const python = await findInterpreter({ env: {}, path: join(base, 'bin', 'python3') });
    execFileSync(python.path, ['-c', `open(${JSON.stringify(join(python.sitePackages, 'of_base.py'))}, 'w').close()`]);
    const needs = { requirements: ['charmer-sample'], interpreter: python };
    const seeing = await ensureEnvironment({ ...needs, seesBase: true }, options());
    expect(run(seeing.python, '-c', 'import of_base, charmer_sample; print(charmer_sample.VERSION)')).toBe('1.0');
    const blind = await ensureEnvironment({ ...needs, seesBase: false }, options());
    expect(() => run(blind.python, '-c', 'import of_base')).toThrow(/No module named/);
  });
});

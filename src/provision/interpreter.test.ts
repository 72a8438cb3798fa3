import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProvisionError } from '../errors.ts';
import { findAllInterpreters, findInterpreter, hasVersion, type Interpreter } from './interpreter.ts';

let root: string;
let real: Interpreter;

beforeAll(async () => {
  real = await findInterpreter({ env: process.env });
});

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'charmer-python-')));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function script(path: string, body: string): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A program that says of itself what an interpreter of that version would. */
function impostor(path: string, versionInfo: readonly number[]): string {
  const answer = {
    executable: join(root, path),
    versionInfo,
    prefix: '/p',
    basePrefix: '/p',
    platformTag: 't',
    sitePackages: '/s',
  };
  return script(path, `printf '%s' '${JSON.stringify(answer)}'`);
}

/** A version manager's shim: counts how often it is run, then becomes the true interpreter. */
function shim(path: string): { readonly file: string; readonly runs: () => number } {
  const log = join(root, 'runs');
  writeFileSync(log, '');
  const file = script(path, `echo run >> '${log}'\nexec '${real.path}' "$@"`);
  return { file, runs: () => readFileSync(log, 'utf8').split('\n').length - 1 };
}

function env(...directories: string[]): NodeJS.ProcessEnv {
  return { PATH: directories.map((name) => join(root, name)).join(':'), HOME: root };
}

async function failure(options: Parameters<typeof findInterpreter>[0]): Promise<ProvisionError> {
  return findInterpreter(options).then(
    (found) => expect.unreachable(`found ${found.path}`),
    (error: unknown) => error as ProvisionError,
  );
}

describe('findInterpreter()', () => {
  it('findInterpreter() describes a real interpreter', () => {
    expect(real.path).toBe(realpathSync(real.path));
    expect(real.version).toBe(real.versionInfo.join('.'));
    const asked = execFileSync(real.path, ['-c', 'import sys; print(sys.prefix)'], { encoding: 'utf8' }).trim();
    expect(real).toMatchObject({ prefix: asked, identity: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });

  it('findInterpreter() prefers python3 on all of PATH to python, and python to versioned names', async () => {
    for (const name of ['a/python3.12', 'a/python', 'b/python3']) {
      mkdirSync(join(root, name, '..'), { recursive: true });
    }
    impostor('a/python3.12', [3, 12, 0]);
    impostor('a/python', [3, 10, 0]);
    impostor('b/python3', [3, 11, 0]);
    expect(await findInterpreter({ env: env('a', 'b') })).toMatchObject({ version: '3.11.0' });
    rmSync(join(root, 'b'), { recursive: true });
    expect(await findInterpreter({ env: env('a') })).toMatchObject({ version: '3.10.0' });
    rmSync(join(root, 'a/python'));
    expect(await findInterpreter({ env: env('a') })).toMatchObject({ version: '3.12.0' });
  });

  it('findInterpreter() passes by what is too old or broken and takes what works', async () => {
    impostor('a/python3', [2, 7, 18]);
    script('b/python3', 'echo pyenv: no such version >&2; exit 127');
    impostor('c/python3', [3, 9, 0]);
    expect(await findInterpreter({ env: env('a', 'b', 'c') })).toMatchObject({ version: '3.9.0' });
  });

  it('findInterpreter() looks through a shim once, and later hosts not at all (T6)', async () => {
    const { runs } = shim('shims/python3');
    const cacheDir = join(root, 'cache');
    expect(await findInterpreter({ env: env('shims'), cacheDir })).toEqual(real);
    expect(runs()).toBe(1);
    expect(await findInterpreter({ env: env('shims'), cacheDir })).toEqual(real);
    expect(runs()).toBe(1);
  });

  it('findInterpreter() asks a shim again when it, or what it chooses by, has changed', async () => {
    const { file, runs } = shim('shims/python3');
    const cacheDir = join(root, 'cache');
    await findInterpreter({ env: env('shims'), cacheDir });
    await findInterpreter({ env: { ...env('shims'), PYENV_VERSION: '3.9' }, cacheDir });
    expect(runs()).toBe(2);
    mkdirSync(join(root, '.pyenv'));
    writeFileSync(join(root, '.pyenv', 'version'), '3.9');
    await findInterpreter({ env: { ...env('shims'), PYENV_ROOT: join(root, '.pyenv') }, cacheDir });
    expect(runs()).toBe(3);
    utimesSync(file, new Date('2020-01-01'), new Date('2020-01-01'));
    await findInterpreter({ env: env('shims'), cacheDir });
    expect(runs()).toBe(4);
  });

  it('findInterpreter() survives a damaged cache', async () => {
    const { runs } = shim('shims/python3');
    const cacheDir = join(root, 'cache');
    await findInterpreter({ env: env('shims'), cacheDir });
    for (const name of execFileSync('ls', [join(cacheDir, 'interpreters')], { encoding: 'utf8' })
      .trim()
      .split('\n')) {
      writeFileSync(join(cacheDir, 'interpreters', name), '{"candidate": ');
    }
    expect(await findInterpreter({ env: env('shims'), cacheDir })).toEqual(real);
    expect(runs()).toBe(2);
  });

  it("findInterpreter() takes a virtual environment's Python for itself", async () => {
    execFileSync(real.path, ['-m', 'venv', '--without-pip', join(root, 'venv')]);
    const found = await findInterpreter({ env: env(), path: join(root, 'venv', 'bin', 'python3') });
    expect(found.prefix).toBe(join(root, 'venv'));
    expect(found.path).toMatch(new RegExp(`^${root}/venv/bin/python`));
    expect(found.sitePackages).toMatch(new RegExp(`^${root}/venv/lib/`));
    expect(found.identity).not.toBe(real.identity);
  });

  it('findInterpreter() finds a wanted version by name, among the versions of pyenv, and among those that uv fetched', async () => {
    impostor('a/python3', [3, 11, 2]);
    impostor('a/python3.12', [3, 12, 4]);
    impostor('.pyenv/versions/3.10.13/bin/python3', [3, 10, 13]);
    impostor('pythons/cpython-3.13.1-linux-x86_64-gnu/bin/python3', [3, 13, 1]);
    const search = { env: env('a'), managedDir: join(root, 'pythons') };
    expect(await findInterpreter({ ...search, version: '3.12' })).toMatchObject({ version: '3.12.4' });
    expect(await findInterpreter({ ...search, version: '3.10' })).toMatchObject({ version: '3.10.13' });
    expect(await findInterpreter({ ...search, version: '3.13' })).toMatchObject({ version: '3.13.1' });
    expect(await failure({ ...search, version: '3.11.9' })).toMatchObject({ code: 'PYTHON_NOT_FOUND' });
  });

  it('findInterpreter() explains every place that it tried', async () => {
    impostor('a/python3', [3, 8, 18]);
    script('b/python3', 'echo pyenv: python3: command not found >&2; exit 127');
    const error = await failure({ env: env('a', 'b') });
    expect(error).toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: 'No Python 3.9 or later was found, 2 places were tried',
      details: {
        tried: [
          { path: join(root, 'a/python3'), reason: 'it is Python 3.8.18, older than 3.9' },
          {
            path: join(root, 'b/python3'),
            reason: 'it did not say what it is (exit status 127: pyenv: python3: command not found)',
          },
        ],
      },
    });
    expect(error.hint).toContain("'" + join(root, 'a/python3') + "': it is Python 3.8.18, older than 3.9");
    expect(await failure({ env: env() })).toMatchObject({ code: 'PYTHON_NOT_FOUND' });
  });

  it('findInterpreter() says that a Python is too old where there is no other', async () => {
    impostor('a/python3', [3, 8, 18]);
    expect(await failure({ env: env('a') })).toMatchObject({ code: 'PYTHON_TOO_OLD', path: join(root, 'a/python3') });
    expect(await failure({ env: env(), path: join(root, 'a/python3') })).toMatchObject({ code: 'PYTHON_TOO_OLD' });
    expect(await failure({ env: env(), version: '3.8' })).toMatchObject({
      code: 'PYTHON_TOO_OLD',
      message: "Python '3.8' was asked for, expected 3.9 or later",
    });
  });

  it('findInterpreter() says what is wrong with a path or command that it is given', async () => {
    expect(await failure({ env: env(), path: join(root, 'absent') })).toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: `Python '${join(root, 'absent')}' cannot be used: it does not exist`,
    });
    expect(await failure({ env: env(), path: 'python-absent' })).toMatchObject({
      message: "Python 'python-absent' cannot be used: no such command is on PATH",
    });
    symlinkSync('/bin/true', join(root, 'true'));
    expect((await failure({ env: env(), path: join(root, 'true') })).message).toContain('it did not say what it is');
  });

  it('findInterpreter() rejects with the reason of an aborted signal', async () => {
    script('a/python3', 'exec sleep 600');
    const controller = new AbortController();
    const searching = findInterpreter({ env: env('a'), signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(searching).rejects.toBe(reason);
  });
});

describe('findAllInterpreters()', () => {
  it('findAllInterpreters() lists each interpreter once, the chosen one first', async () => {
    impostor('a/python3', [3, 11, 2]);
    impostor('b/python3', [3, 8, 0]);
    impostor('b/python', [3, 12, 0]);
    const versions = (await findAllInterpreters({ env: env('a', 'b', 'a') })).map((one) => one.version);
    expect(versions).toEqual(['3.11.2', '3.12.0']);
  });
});

describe('hasVersion()', () => {
  it('hasVersion() compares leading parts, never text', () => {
    const python = { ...real, versionInfo: [3, 11, 7] as const };
    expect(['3', '3.11', '3.11.7'].map((version) => hasVersion(python, version))).toEqual([true, true, true]);
    expect(['3.1', '3.11.70', '4', 'latest'].map((version) => hasVersion(python, version))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findInterpreter } from './interpreter.ts';
import type { ProvisionOptions, ProvisionProgress } from './provision-options.ts';
import { makeWheel } from './test-wheel.case.ts';
import { bringUv, findUv } from './uv.ts';

let root: string;
let progress: ProvisionProgress[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-uv-'));
  progress = [];
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A program that calls itself a uv of some version. */
function impostor(path: string, version: string): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho uv ${version}\n`);
  chmodSync(file, 0o755);
  return file;
}

function options(hostEnv: NodeJS.ProcessEnv = {}): ProvisionOptions {
  return { cacheDir: join(root, 'cache'), hostEnv, onProgress: (event) => progress.push(event) };
}

describe('findUv()', () => {
  it('findUv() looks at UV_BINARY_PATH, then PATH, then our own copy (R51)', async () => {
    const own = impostor('cache/uv/bin/uv', '1.0.3');
    expect(await findUv(options({ PATH: join(root, 'path') }))).toEqual({ path: own, version: '1.0.3' });
    const onPath = impostor('path/uv', '1.0.2');
    expect(await findUv(options({ PATH: join(root, 'path') }))).toEqual({ path: onPath, version: '1.0.2' });
    const named = impostor('named', '1.0.1');
    expect(await findUv(options({ PATH: join(root, 'path'), UV_BINARY_PATH: named }))).toEqual({
      path: named,
      version: '1.0.1',
    });
    expect(progress).toEqual([]);
  });

  it('findUv() warns of a UV_BINARY_PATH that is no uv and passes by a shim that refuses (R51)', async () => {
    const onPath = impostor('path/uv', '1.0.2');
    const shim = impostor('shims/uv', '');
    writeFileSync(shim, '#!/bin/sh\necho pyenv: uv: command not found >&2\nexit 127\n');
    const path = `${join(root, 'shims')}:${join(root, 'path')}`;
    expect(await findUv(options({ PATH: path, UV_BINARY_PATH: join(root, 'absent') }))).toMatchObject({ path: onPath });
    expect(progress.map(({ phase }) => phase)).toEqual(['warning']);
    expect(await findUv(options({ PATH: join(root, 'nothing') }))).toBeUndefined();
  });
});

describe('bringUv()', () => {
  it('bringUv() installs uv below the cache directory, once (R51)', async () => {
    const python = await findInterpreter({ env: process.env });
    makeWheel(python.path, join(root, 'wheels'), {
      name: 'uv',
      version: '1.0.4',
      script: '#!/bin/sh\necho uv 1.0.4\n',
    });
    const index = { PIP_FIND_LINKS: join(root, 'wheels'), PIP_NO_INDEX: '1' };
    const own = { path: join(root, 'cache', 'uv', 'bin', 'uv'), version: '1.0.4' };
    const both = await Promise.all([1, 2].map(() => bringUv(python, options({ PATH: root, ...index }))));
    expect(both).toEqual([own, own]);
    expect(progress.filter(({ message }) => message.startsWith('Successfully installed'))).toHaveLength(1);
    expect(await bringUv(python, { ...options({ PATH: root }), offline: true })).toEqual(own);
    expect(readdirSync(join(root, 'cache'))).toEqual(['uv']);
  });

  it('bringUv() fetches nothing when the network may not be used, and says what follows (R51)', async () => {
    const python = await findInterpreter({ env: process.env });
    expect(await bringUv(python, { ...options({ PATH: root }), offline: true })).toBeUndefined();
    expect(progress).toEqual([{ phase: 'warning', message: expect.stringContaining('venv and pip') }]);
  });

  it('bringUv() warns with the reason when uv cannot be fetched, and leaves nothing (R51)', async () => {
    const python = await findInterpreter({ env: process.env });
    const hostEnv = { PATH: root, PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '0', HOME: root };
    expect(await bringUv(python, options(hostEnv))).toBeUndefined();
    expect(progress.at(-1)).toMatchObject({
      phase: 'warning',
      message: expect.stringMatching(/^uv could not be fetched/),
    });
    expect(await findUv(options({ PATH: root }))).toBeUndefined();
  });
});

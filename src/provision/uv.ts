/** Finds uv, or brings it: `UV_BINARY_PATH`, PATH, our own copy, and last a copy installed from the package index (R51). */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { findAllOnPath } from './command-lookup.ts';
import { withLock } from './cross-process-lock.ts';
import { installerEnvironment } from './installer-environment.ts';
import type { Interpreter } from './interpreter.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { runTool } from './run-tool.ts';

/** A uv that works. */
export interface Uv {
  readonly path: string;
  /** For example `0.9.2`. */
  readonly version: string;
}

/** It only prints its version. */
const VERSION_TIMEOUT_MS = 20_000;

/** Looks for uv without bringing it. */
export async function findUv(options: ProvisionOptions): Promise<Uv | undefined> {
  const named = options.hostEnv['UV_BINARY_PATH'];
  const name = process.platform === 'win32' ? 'uv.exe' : 'uv';
  const onPath = findAllOnPath(name, options.hostEnv['PATH'] ?? options.hostEnv['Path']);
  const places = [
    ...(named === undefined || named === '' ? [] : [resolve(named)]),
    ...onPath,
    ownCopy(options.cacheDir),
  ];
  for (const path of places) {
    const uv = existsSync(path) ? await askVersion(path, options) : undefined;
    if (uv !== undefined) return uv;
    if (path === places[0] && named !== undefined && named !== '') {
      warn(options, `UV_BINARY_PATH '${named}' is no uv that works, looking elsewhere`);
    }
  }
  return undefined;
}

/** Finds uv or installs it below the cache directory; undefined, with a warning, when it cannot be had. */
export async function bringUv(interpreter: Interpreter, options: ProvisionOptions): Promise<Uv | undefined> {
  const found = await findUv(options);
  if (found !== undefined) return found;
  if (options.offline === true || options.wheelDir !== undefined) {
    warn(options, 'uv is not here and may not be fetched: environments are made by venv and pip, more slowly');
    return undefined;
  }
  options.onProgress?.({ phase: 'installer', message: 'Fetching uv' });
  const target = join(resolve(options.cacheDir), 'uv');
  const reason = await withLock(`${target}.lock`, { signal: options.signal }, async () => {
    return existsSync(ownCopy(options.cacheDir)) ? undefined : installUv(target, interpreter, options);
  });
  const own = reason === undefined ? await askVersion(ownCopy(options.cacheDir), options) : undefined;
  if (own === undefined) {
    warn(options, `uv could not be fetched (${reason ?? 'it does not run'}): venv and pip are used, more slowly`);
  }
  return own;
}

/** @returns the reason of a failure */
async function installUv(target: string, python: Interpreter, options: ProvisionOptions): Promise<string | undefined> {
  const aside = `${target}.${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    const args = ['-I', '-m', 'pip', 'install', '--no-deps', '--only-binary', ':all:', '--target', aside, 'uv'];
    const outcome = await runTool(
      { program: python.path, args },
      {
        env: installerEnvironment(options.hostEnv),
        cwd: dirname(target),
        guard: python.path,
        signal: options.signal,
        onLine: (message) => options.onProgress?.({ phase: 'installer', message }),
      },
    );
    if (outcome.exitCode !== 0) {
      const lines = outcome.stderr.split('\n').filter((line) => line.trim() !== '');
      return lines.at(-1)?.trim() ?? 'pip failed without a word';
    }
    await rm(target, { recursive: true, force: true });
    renameSync(aside, target);
    return undefined;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function askVersion(path: string, options: ProvisionOptions): Promise<Uv | undefined> {
  const outcome = await runTool(
    { program: path, args: ['--version'] },
    {
      env: installerEnvironment(options.hostEnv),
      cwd: dirname(path),
      timeoutMs: VERSION_TIMEOUT_MS,
      signal: options.signal,
    },
  );
  const version = outcome.exitCode === 0 ? /^uv (\d+\.\d+\.\d+\S*)/.exec(outcome.stdout)?.[1] : undefined;
  return version === undefined ? undefined : { path, version };
}

function ownCopy(cacheDir: string): string {
  return join(resolve(cacheDir), 'uv', 'bin', process.platform === 'win32' ? 'uv.exe' : 'uv');
}

function warn(options: ProvisionOptions, message: string): void {
  options.onProgress?.({ phase: 'warning', message });
}

/** The environment of a plugin with requirements: found, or made aside and renamed into place. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ProvisionError } from '../errors.ts';
import { withLock } from './cross-process-lock.ts';
import { buildEnvironment, installerName, rehome } from './environment-build.ts';
import { environmentKey, type EnvironmentNeeds } from './environment-key.ts';
import {
  evictEnvironments,
  leaseEnvironment,
  makeStaging,
  METADATA_FILE,
  placeOf,
  pythonOf,
  sweepStaging,
  type EnvironmentMetadata,
} from './environment-store.ts';
import { childEnvironment } from './child-environment.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { runTool } from './run-tool.ts';
import { bringUv } from './uv.ts';

/** An environment that is leased to this process. */
export interface Environment {
  readonly key: string;
  readonly directory: string;
  /** Absolute path of its Python. */
  readonly python: string;
  /** Whether it was made just now. */
  readonly isNew: boolean;
}

/**
 * Returns the environment for a set of requirements, leased until `releaseEnvironments` or the end of the process. When
 * it is there, nothing runs (R50); equal plugins share one (R49); of several processes one builds and the others wait (R56).
 *
 * @throws ProvisionError `DEPENDENCIES_FAILED`; nothing half-made is left
 * @throws the reason of `options.signal`
 */
export async function ensureEnvironment(
  needs: EnvironmentNeeds & { readonly plugin?: string | undefined },
  options: ProvisionOptions,
): Promise<Environment> {
  options.signal?.throwIfAborted();
  checkRequirements(needs, options);
  const key = environmentKey(needs);
  const { directory, lock } = placeOf(options.cacheDir, key);
  const environment = { key, directory, python: pythonOf(directory) };
  const lease = (): boolean => leaseEnvironment(options.cacheDir, key, options.owner ?? 'process');
  if (lease()) return { ...environment, isNew: false };
  const onWait = (pid: number): void => {
    options.onProgress?.({ phase: 'wait', message: `Waiting for process ${pid}, which makes the same environment` });
  };
  return withLock(lock, { signal: options.signal, onWait }, async () => {
    if (lease()) return { ...environment, isNew: false };
    await sweepStaging(options.cacheDir);
    await make(needs, options, environment);
    lease();
    await compile(environment, options);
    await evictEnvironments(options.cacheDir);
    return { ...environment, isNew: true };
  });
}

async function make(
  needs: EnvironmentNeeds & { readonly plugin?: string | undefined },
  options: ProvisionOptions,
  environment: { readonly key: string; readonly directory: string },
): Promise<void> {
  const uv = options.installer === 'pip' ? undefined : await bringUv(needs.interpreter, options);
  const staging = makeStaging(options.cacheDir, environment.key);
  const aside = join(staging.directory, 'environment');
  try {
    await buildEnvironment({ ...needs, directory: aside, uv, plugin: needs.plugin }, options);
    rehome(aside, aside, environment.directory);
    const metadata: EnvironmentMetadata = {
      requirements: needs.requirements,
      pythonVersion: needs.interpreter.version,
      basePython: needs.interpreter.path,
      installer: installerName(uv),
      createdAt: new Date().toISOString(),
    };
    writeFileSync(join(aside, METADATA_FILE), `${JSON.stringify(metadata, undefined, 2)}\n`);
    // What is there without being complete is of no use to anybody.
    await rm(environment.directory, { recursive: true, force: true });
    renameSync(aside, environment.directory);
  } finally {
    await staging.remove();
  }
}

/** Byte-code is made for the final path, where the runner looks for it. Modules that do not compile are the plugin's affair. */
async function compile(environment: Omit<Environment, 'isNew'>, options: ProvisionOptions): Promise<void> {
  options.onProgress?.({ phase: 'compile', message: 'Compiling byte-code' });
  const cache = join(resolve(options.cacheDir), 'bytecode');
  mkdirSync(cache, { recursive: true });
  const library = join(environment.directory, process.platform === 'win32' ? 'Lib' : 'lib');
  const args = ['-I', '-X', `pycache_prefix=${cache}`, '-m', 'compileall', '-qq', '-j', '0', library];
  await runTool(
    { program: environment.python, args },
    {
      env: childEnvironment(options.hostEnv, {}),
      cwd: environment.directory,
      guard: environment.python,
      signal: options.signal,
    },
  );
}

/** A manifest names packages; it does not configure the installer. */
function checkRequirements(
  needs: EnvironmentNeeds & { readonly plugin?: string | undefined },
  options: ProvisionOptions,
): void {
  for (const line of needs.requirements) {
    const isOption = line.trimStart().startsWith('-') && options.allowBuilds !== true;
    if (!isOption && !/[\r\n\0]/.test(line)) continue;
    const what = isOption ? 'an option for the installer' : 'more than one line';
    throw new ProvisionError('DEPENDENCIES_FAILED', `Requirement '${line}' is ${what}, expected a package`, {
      plugin: needs.plugin,
      hint: isOption ? 'Name a package instead, or allow builds' : 'Write one requirement per entry',
      details: { requirements: needs.requirements },
    });
  }
}

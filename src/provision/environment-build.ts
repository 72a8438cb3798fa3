/** Makes one environment in a directory of its own: with uv, or with `venv` and pip. Nothing here decides where it ends up. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installFailure } from './install-failure.ts';
import { installerEnvironment } from './installer-environment.ts';
import type { Interpreter } from './interpreter.ts';
import { pythonOf } from './environment-store.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { runTool, type ToolOutcome } from './run-tool.ts';
import type { Uv } from './uv.ts';

/** What to build, and from what. */
export interface EnvironmentBuild {
  readonly directory: string;
  readonly interpreter: Interpreter;
  readonly requirements: readonly string[];
  readonly seesBase: boolean;
  /** Undefined: `venv` and pip do it. */
  readonly uv: Uv | undefined;
  readonly plugin: string | undefined;
}

/** Launchers and activation scripts are small; anything larger is a program that holds no path of ours. */
const MAX_SCRIPT_BYTES = 256 * 1024;

/** @throws ProvisionError `DEPENDENCIES_FAILED` with the installer's words, a cause and a fix */
export async function buildEnvironment(build: EnvironmentBuild, options: ProvisionOptions): Promise<void> {
  const list = join(dirname(build.directory), 'requirements.txt');
  writeFileSync(list, build.requirements.map((line) => `${line.trim()}\n`).join(''));
  options.onProgress?.({
    phase: 'environment',
    message: `Making an environment for Python ${build.interpreter.version}`,
  });
  await step(build, options, creation(build));
  exposeVirtualBase(build);
  options.onProgress?.({ phase: 'install', message: `Installing ${build.requirements.join(', ')}` });
  await step(build, options, installation({ build, list, options }));
}

/**
 * Makes an environment that was built in one place work in another: launchers, activation scripts and `pyvenv.cfg`
 * hold the absolute path.
 */
export function rehome(directory: string, from: string, to: string): void {
  const scripts = dirname(pythonOf(directory));
  const files = [join(directory, 'pyvenv.cfg'), ...readdirSync(scripts).map((name) => join(scripts, name))];
  for (const file of files) {
    const facts = statSync(file, { throwIfNoEntry: false });
    if (facts?.isFile() !== true || facts.size > MAX_SCRIPT_BYTES) continue;
    const text = readFileSync(file, 'latin1');
    if (text.includes(from) && !text.includes('\0')) writeFileSync(file, text.replaceAll(from, to), 'latin1');
  }
}

/** How the builder calls itself in metadata and errors. */
export function installerName(uv: Uv | undefined): string {
  return uv === undefined ? 'pip' : `uv ${uv.version}`;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

async function step(build: EnvironmentBuild, options: ProvisionOptions, command: Command): Promise<ToolOutcome> {
  const outcome = await runTool(command, {
    env: installerEnvironment(options.hostEnv),
    // Neither installer may find a project of the host's above its working directory.
    cwd: dirname(build.directory),
    guard: build.interpreter.path,
    signal: options.signal,
    onLine: (message) => options.onProgress?.({ phase: 'install', message: message.trim() }),
  });
  if (outcome.exitCode === 0) return outcome;
  throw installFailure({
    installer: installerName(build.uv),
    requirements: build.requirements,
    outcome,
    plugin: build.plugin,
    pythonVersion: build.interpreter.version,
  });
}

function creation(build: EnvironmentBuild): Command {
  const base = build.seesBase ? ['--system-site-packages'] : [];
  if (build.uv === undefined) {
    return { program: build.interpreter.path, args: ['-I', '-m', 'venv', ...base, build.directory] };
  }
  const args = ['venv', '--no-project', '--python', build.interpreter.path, ...base, build.directory];
  return { program: build.uv.path, args };
}

function installation(parts: { build: EnvironmentBuild; list: string; options: ProvisionOptions }): Command {
  const { build, list, options } = parts;
  const wheelsOnly = options.allowBuilds === true ? [] : ['--only-binary', ':all:'];
  const wheels = options.wheelDir === undefined ? [] : ['--no-index', '--find-links', options.wheelDir];
  const python = pythonOf(build.directory);
  if (build.uv !== undefined) {
    const offline = options.offline === true ? ['--offline'] : [];
    const args = ['pip', 'install', '--python', python, '--requirements', list, ...wheelsOnly, ...wheels, ...offline];
    return { program: build.uv.path, args };
  }
  const offline = options.offline === true && options.wheelDir === undefined ? ['--no-index'] : [];
  // Byte-code goes to the cache directory, for the environment's final path.
  const quiet = ['--no-compile', '--no-warn-script-location'];
  return {
    program: python,
    args: ['-I', '-m', 'pip', 'install', '-r', list, ...quiet, ...wheelsOnly, ...wheels, ...offline],
  };
}

/** `--system-site-packages` shows what lies under a virtual environment, not its own packages. */
function exposeVirtualBase(build: EnvironmentBuild): void {
  const { interpreter } = build;
  if (!build.seesBase || interpreter.prefix === interpreter.basePrefix) return;
  const [major, minor] = interpreter.versionInfo;
  const packages =
    process.platform === 'win32'
      ? join(build.directory, 'Lib', 'site-packages')
      : join(build.directory, 'lib', `python${major}.${minor}`, 'site-packages');
  writeFileSync(join(packages, '_charmer_base.pth'), `${interpreter.sitePackages}\n`);
}

/** The plan of a plugin that is a fresh process per call. */
import { delimiter, join, resolve } from 'node:path';
import { StartError } from '../errors.ts';
import type { LaunchPlan, OneShotCommand, PluginSpec } from '../plugin-spec.ts';
import { childEnvironment } from './child-environment.ts';
import { findCommand } from './command-lookup.ts';
import { OLDEST_PYTHON } from './interpreter.ts';
import { probeInterpreter } from './interpreter-probe.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { choosePython, type PythonChoice } from './python-choice.ts';
import { siblingDirectory } from './sibling-directory.ts';

/** What the first word of a command came to. */
interface Program {
  readonly path: string;
  /** Empty where it is no Python, or one that says nothing about itself. */
  readonly version: string;
  /** The first word that the process sees. */
  readonly word: string;
}

/**
 * The command runs as it would by `execvp` on the host's PATH, in a reduced environment. For `python3` and `python` the
 * host's choice of interpreter counts, and shims are passed by; `pythonVersion` is empty for other commands.
 *
 * @throws StartError `SPAWN_FAILED` with `details` `{ word, errno }`
 */
export async function planOneShot(
  spec: PluginSpec,
  command: OneShotCommand,
  options: ProvisionOptions,
): Promise<LaunchPlan> {
  const [word = '', ...rest] = command.words;
  const isHostsChoice = isPlainPython(word) && options.interpreter !== undefined;
  const needsChoice = isHostsChoice || spec.python.requirements.length > 0 || spec.python.version !== undefined;
  const choice = needsChoice ? await choosePython(spec, options) : undefined;
  const env = childEnvironment(choice?.hostEnv ?? options.hostEnv, { grants: options.env, pass: options.passEnv });
  if (rest.some((argument) => argument.includes('\0'))) throw cannotStart(word, 'EINVAL');
  const program = await resolveProgram({ word, cwd: command.cwd, path: env['PATH'], choice }, options);
  return {
    interpreter: program.path,
    pythonVersion: program.version,
    argv: [program.word, ...rest],
    cwd: command.cwd,
    env: { ...env, ...pythonVariables(spec, env, options) },
    hasWire: false,
    stdin: 'pipe',
    limits: options.limits ?? {},
    launcher: canFork(program.version) ? (options.launcher ?? 'exec') : 'exec',
    importPath: { first: [], last: [] },
    sitePackages: choice?.sitePackages ?? { kind: 'base' },
  };
}

async function resolveProgram(
  wanted: { word: string; cwd: string; path: string | undefined; choice: PythonChoice | undefined },
  options: ProvisionOptions,
): Promise<Program> {
  const { word, choice } = wanted;
  if (isPlainPython(word) && choice !== undefined) {
    return { path: choice.program, version: choice.version, word: choice.program };
  }
  const found = findCommand(word, wanted);
  if (found.path === undefined) throw cannotStart(word, found.errno);
  if (!/(^|\/)python[\d.]*$/.test(word)) return { path: found.path, version: '', word };
  const answer = await probeInterpreter(found.path, {
    env: options.hostEnv,
    cacheDir: options.cacheDir,
    signal: options.signal,
  });
  if (answer.interpreter === undefined) return { path: found.path, version: '', word };
  const { path, version } = answer.interpreter;
  // Python looks itself up by its first word on PATH, where it would find the shim again.
  return { path, version, word: answer.isShim ? path : word };
}

/** The words that stand for any Python 3: the `python` of a manifest has become `python3` in its format. */
function isPlainPython(word: string): boolean {
  return word === 'python3' || word === 'python';
}

/** PYTHONPATH and the byte-code directory. Values that the operator granted come after ours. */
function pythonVariables(
  spec: PluginSpec,
  env: Readonly<Record<string, string>>,
  options: ProvisionOptions,
): Record<string, string> {
  const siblings = spec.python.siblings;
  const stand = siblings === undefined ? [] : [siblingDirectory(siblings, options.cacheDir)];
  const shown = options.pluginsRoot === undefined ? stand : [options.pluginsRoot];
  const granted = env['PYTHONPATH'] === undefined ? [] : [env['PYTHONPATH']];
  const path = [...spec.python.importFirst, ...shown, ...spec.python.importLast, ...granted].filter(
    (part) => part !== '',
  );
  const byteCode = { PYTHONPYCACHEPREFIX: join(resolve(options.cacheDir), 'bytecode') };
  return path.length === 0 ? byteCode : { ...byteCode, PYTHONPATH: path.join(delimiter) };
}

function canFork(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1];
}

function cannotStart(word: string, errno: string): StartError {
  const reasons: Record<string, string> = {
    ENOENT: 'no such command, expected a command on PATH or a path',
    EACCES: 'it may not be executed',
    EINVAL: 'empty, or with a zero byte in it',
  };
  const hint =
    errno === 'EACCES' ? `Make it executable: chmod +x '${word}'` : `Install '${word}', or correct the manifest`;
  return new StartError('SPAWN_FAILED', `Command '${word}' cannot be started: ${reasons[errno] ?? errno}`, {
    hint,
    details: { word, errno },
  });
}

/** Finds the Python that plugins run on, or explains every place that was tried. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ProvisionError } from '../errors.ts';
import { findAllOnPath, findCommand } from './command-lookup.ts';
import { probeInterpreter, type Interpreter, type ProbeOptions } from './interpreter-probe.ts';
import { runTool } from './run-tool.ts';

export type { Interpreter } from './interpreter-probe.ts';

/** The oldest Python that the runner supports. */
export const OLDEST_PYTHON: readonly [major: number, minor: number] = [3, 9];

/** Names tried after `python3` and `python`, newest first. */
const VERSIONED_NAMES = [14, 13, 12, 11, 10, 9].map((minor) => `python3.${minor}`);
/** The launcher lists what is installed; it runs nothing. */
const LAUNCHER_TIMEOUT_MS = 10_000;

/** What kind of Python is wanted, and where to look. */
export interface InterpreterOptions extends ProbeOptions {
  /** A path, or a command on PATH: only this one is tried. */
  readonly path?: string | undefined;
  /** Leading parts of the version, for example `3.11`. @default any from 3.9 up */
  readonly version?: string | undefined;
  /** Directory of interpreters that uv fetched, one a directory. @default none */
  readonly managedDir?: string | undefined;
}

/** A place that was looked at and why it was refused. */
export interface RefusedInterpreter {
  readonly path: string;
  readonly reason: string;
}

/**
 * Looks for `python3`, `python` and `python3.14` to `python3.9` on PATH, then among what pyenv and uv installed, then asks the `py` launcher. A virtual
 * environment's Python counts as itself; a version manager's shim is asked for the interpreter that it stands for.
 *
 * @throws ProvisionError `PYTHON_NOT_FOUND` with `details.tried`, `PYTHON_TOO_OLD` where only older ones were found
 */
export async function findInterpreter(options: InterpreterOptions): Promise<Interpreter> {
  if (options.version !== undefined && isTooOld(parseVersion(options.version))) {
    throw new ProvisionError(
      'PYTHON_TOO_OLD',
      `Python '${options.version}' was asked for, expected ${oldest()} or later`,
      {
        hint: `Ask for Python ${oldest()} or later`,
      },
    );
  }
  const refused: (RefusedInterpreter & { isTooOld: boolean })[] = [];
  const seen = new Set<string>();
  for await (const candidate of candidates(options)) {
    if (seen.has(candidate)) continue;
    seen.add(candidate);
    const answer = await probeInterpreter(candidate, options);
    if (answer.interpreter === undefined) {
      refused.push({ path: candidate, reason: answer.reason, isTooOld: false });
      continue;
    }
    const reason = objection(answer.interpreter, options.version);
    if (reason === undefined) return answer.interpreter;
    refused.push({ path: candidate, reason, isTooOld: isTooOld(answer.interpreter.versionInfo) });
  }
  throw notFound(options, refused);
}

/** Every usable interpreter on the machine, the one that `findInterpreter` would choose first. */
export async function findAllInterpreters(options: InterpreterOptions): Promise<Interpreter[]> {
  const found = new Map<string, Interpreter>();
  for await (const candidate of candidates(options)) {
    const { interpreter } = await probeInterpreter(candidate, options);
    if (interpreter === undefined || found.has(interpreter.path)) continue;
    if (objection(interpreter, options.version) === undefined) found.set(interpreter.path, interpreter);
  }
  return [...found.values()];
}

/** Whether an interpreter is of a wanted version, given by its leading parts. */
export function hasVersion(interpreter: Interpreter, version: string): boolean {
  const wanted = parseVersion(version);
  return wanted.length > 0 && wanted.every((part, index) => interpreter.versionInfo[index] === part);
}

function objection(interpreter: Interpreter, version: string | undefined): string | undefined {
  if (isTooOld(interpreter.versionInfo)) return `it is Python ${interpreter.version}, older than ${oldest()}`;
  if (version === undefined || hasVersion(interpreter, version)) return undefined;
  return `it is Python ${interpreter.version}, not ${version}`;
}

function notFound(
  options: InterpreterOptions,
  refused: readonly (RefusedInterpreter & { isTooOld: boolean })[],
): ProvisionError {
  const tried = refused.map(({ path, reason }) => ({ path, reason }));
  const details = { tried };
  const words = tried.map(({ path, reason }) => `'${path}': ${reason}`).join('; ');
  const install = `Install Python ${options.version ?? `${oldest()} or later`}, or name one with python.path`;
  const hint = words === '' ? install : `${install}. Tried ${words}`;
  const newest = refused.length > 0 && refused.every((one) => one.isTooOld) ? refused[0] : undefined;
  if (newest !== undefined && options.version === undefined) {
    const text = `Python at '${newest.path}' is too old, expected ${oldest()} or later`;
    return new ProvisionError('PYTHON_TOO_OLD', text, { hint, details, path: newest.path });
  }
  if (options.path !== undefined) {
    const reason = tried[0]?.reason ?? 'no such command is on PATH';
    const text = `Python '${options.path}' cannot be used: ${reason}`;
    return new ProvisionError('PYTHON_NOT_FOUND', text, { hint, details, path: options.path });
  }
  const wanted = options.version === undefined ? `${oldest()} or later` : `'${options.version}'`;
  const count = tried.length === 1 ? '1 place was' : `${tried.length} places were`;
  return new ProvisionError('PYTHON_NOT_FOUND', `No Python ${wanted} was found, ${count} tried`, { hint, details });
}

async function* candidates(options: InterpreterOptions): AsyncGenerator<string> {
  const searchPath = options.env['PATH'] ?? options.env['Path'];
  if (options.path !== undefined) {
    if (/[\\/]/.test(options.path)) {
      yield resolve(options.path);
      return;
    }
    const found = findCommand(options.path, { path: searchPath, cwd: process.cwd() });
    if (found.path !== undefined) yield found.path;
    return;
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const name of names(options.version)) yield* findAllOnPath(name + suffix, searchPath);
  const { env, managedDir } = options;
  const home = env['HOME'] ?? homedir();
  yield* installedBelow(join(env['PYENV_ROOT'] ?? join(home, '.pyenv'), 'versions'));
  if (managedDir !== undefined) yield* installedBelow(managedDir);
  yield* installedBelow(env['UV_PYTHON_INSTALL_DIR'] ?? join(home, '.local', 'share', 'uv', 'python'));
  if (process.platform === 'win32') yield* await launcherVersions(options);
}

function names(version: string | undefined): string[] {
  const [major, minor] = version === undefined ? [] : parseVersion(version);
  const exact = major !== undefined && minor !== undefined ? [`python${major}.${minor}`] : [];
  return [...exact, 'python3', 'python', ...(exact.length > 0 ? [] : VERSIONED_NAMES)];
}

/** Interpreters that pyenv or uv put below a directory (`3.11.7`, `cpython-3.12.4-linux-x86_64-gnu`), newest first. */
function installedBelow(directory: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch {
    return [];
  }
  const program = process.platform === 'win32' ? 'python.exe' : 'bin/python3';
  return entries
    .map((name) => ({ name, version: parseVersion(name.replace(/^cpython-/, '')) }))
    .filter(({ version }) => version.length > 0)
    .sort((left, right) => compareVersions(right.version, left.version))
    .map(({ name }) => join(directory, name, program))
    .filter((path) => existsSync(path));
}

/** What the Windows launcher knows: lines such as ` -V:3.12 *        C:\\Python312\\python.exe`. */
async function launcherVersions(options: InterpreterOptions): Promise<string[]> {
  const launcher = findCommand('py', { path: options.env['PATH'] ?? options.env['Path'], cwd: process.cwd() });
  if (launcher.path === undefined) return [];
  const outcome = await runTool(
    { program: launcher.path, args: ['-0p'] },
    {
      env: { SYSTEMROOT: options.env['SYSTEMROOT'] ?? '' },
      cwd: dirname(launcher.path),
      timeoutMs: LAUNCHER_TIMEOUT_MS,
    },
  );
  return outcome.stdout.split(/\r?\n/).flatMap((line) => /([A-Za-z]:\\.*python\.exe)\s*$/.exec(line)?.[1] ?? []);
}

function parseVersion(text: string): number[] {
  return /^\d+(\.\d+)*/.exec(text)?.[0].split('.').map(Number) ?? [];
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isTooOld(version: readonly number[]): boolean {
  const [major, minor] = version;
  if (major === undefined) return false;
  if (major !== OLDEST_PYTHON[0]) return major < OLDEST_PYTHON[0];
  return minor !== undefined && minor < OLDEST_PYTHON[1];
}

function oldest(): string {
  return OLDEST_PYTHON.join('.');
}

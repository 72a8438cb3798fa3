import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { pythonDirectories } from '../src/doors/python-path.ts';
import { root, temporaryDirectory } from './test-host.ts';

/** Where the programs of the consumers are. */
export const consumers: string = join(root, 'test/python-consumers');

/** What a run of a Python program gave. */
export interface PythonRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a Python program is run. */
export interface PythonOptions {
  readonly cwd?: string;
  readonly python?: string;
  readonly env?: Readonly<Record<string, string>>;
}

let cache: string | undefined;

/** Starts a Python program as a consumer would: our packages on PYTHONPATH, nothing else. */
export function startPython(args: readonly string[], options: PythonOptions = {}): ChildProcessWithoutNullStreams {
  cache ??= temporaryDirectory();
  return spawn(options.python ?? 'python3', ['-X', 'dev', ...args], {
    cwd: options.cwd ?? consumers,
    env: {
      ...process.env,
      XDG_CACHE_HOME: cache,
      PYTHONPATH: pythonDirectories().join(delimiter),
      PYTHONDONTWRITEBYTECODE: '1',
      ...options.env,
    },
  });
}

/** Runs a Python program to its end. */
export async function runPython(args: readonly string[], options: PythonOptions = {}): Promise<PythonRun> {
  const child = startPython(args, options);
  child.stdin.end();
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  return { code: await code, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
}

/** What a scenario of `scenarios.py` saw. */
export async function scenario(name: string, options: PythonOptions = {}): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runPython([join(consumers, 'scenarios.py'), name], options);
  if (code !== 0) throw new Error(`scenario ${name} ended with ${code}\n${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The interpreter of a fresh environment with one package from the registry. */
export function pythonWith(requirement: string): string {
  const directory = join(temporaryDirectory(), 'venv');
  execFileSync('python3', ['-m', 'venv', directory], { stdio: 'ignore' });
  const python = join(directory, 'bin', 'python3');
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', requirement], { stdio: 'ignore' });
  return python;
}

/** Version → path of every CPython from 3.9 up: those of pyenv, and the one on PATH. */
export function pythons(): ReadonlyMap<string, string> {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const names = existsSync(versions) ? readdirSync(versions) : [];
  const found = new Map<string, string>();
  for (const path of ['python3', ...names.map((name) => join(versions, name, 'bin', 'python3'))]) {
    const version = versionOf(path);
    if (version !== undefined && !found.has(version)) found.set(version, path);
  }
  return found;
}

function versionOf(path: string): string | undefined {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 9) else "")';
  try {
    return execFileSync(path, ['-I', '-c', script], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

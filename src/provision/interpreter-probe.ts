/**
 * Asks a Python who it really is, and remembers the answer on disk: a version manager's shim costs 54 ms a time (T6),
 * and a later host must not pay it again.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { childEnvironment } from './child-environment.ts';
import { runTool } from './run-tool.ts';

/** A Python on this machine, as it describes itself. */
export interface Interpreter {
  /** Absolute path of the interpreter itself, links resolved, except in a virtual environment, whose own it is. */
  readonly path: string;
  /** For example `3.11.7`. */
  readonly version: string;
  readonly versionInfo: readonly [major: number, minor: number, micro: number];
  /** The virtual environment's directory, or the installation's. */
  readonly prefix: string;
  /** The installation's directory. */
  readonly basePrefix: string;
  /** Platform and ABI, for example `linux-x86_64-cpython-311`. */
  readonly platformTag: string;
  /** Directory that its own packages are in. */
  readonly sitePackages: string;
  /** Changes when the interpreter is replaced: a hash over path, version, time and size. */
  readonly identity: string;
}

/** Where answers are kept, and what a shim is allowed to see. */
export interface ProbeOptions {
  /** The host's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Answers are kept below it. @default none are kept */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An interpreter, or the reason why there is none at that path. */
export type ProbeAnswer =
  | { readonly interpreter: Interpreter; readonly isShim: boolean }
  | { readonly interpreter: undefined; readonly reason: string };

/** A cold start takes 0.1 s; a shim that installs something or asks a question is not an interpreter. */
const PROBE_TIMEOUT_MS = 20_000;

/** Runs on anything from Python 2.7 up, so that what is too old can be told from what is broken. */
const PROBE_PROGRAM = `
import json, sys, sysconfig
sys.stdout.write(json.dumps({
    'executable': sys.executable,
    'versionInfo': list(sys.version_info[:3]),
    'prefix': sys.prefix,
    'basePrefix': getattr(sys, 'base_prefix', sys.prefix),
    'platformTag': '-'.join([
        sysconfig.get_platform(),
        getattr(getattr(sys, 'implementation', None), 'cache_tag', None) or 'python',
        getattr(sys, 'abiflags', ''),
    ]).rstrip('-'),
    'sitePackages': sysconfig.get_path('purelib'),
}))
`;

/** Variables and files that version managers choose an interpreter by. */
const SELECTION_VARIABLES = /^(PYENV_|ASDF_|MISE_|RTX_)/;
const SELECTION_FILES = ['.python-version', '.tool-versions', 'mise.toml', '.mise.toml'];

/** @param candidate Absolute path of something that may be a Python, a shim included */
export async function probeInterpreter(candidate: string, options: ProbeOptions): Promise<ProbeAnswer> {
  const before = stampOf(candidate);
  if (before === undefined) return { interpreter: undefined, reason: 'it does not exist' };
  const record = options.cacheDir === undefined ? undefined : recordPath(candidate, options);
  const known = record === undefined ? undefined : readRecord(record, before);
  if (known !== undefined) return known;

  const env = { ...childEnvironment(options.env, {}), ...selectionVariables(options.env) };
  const outcome = await runTool(
    { program: candidate, args: ['-I', '-c', PROBE_PROGRAM] },
    { env, cwd: process.cwd(), timeoutMs: PROBE_TIMEOUT_MS, signal: options.signal },
  );
  if (outcome.startError !== undefined) {
    return { interpreter: undefined, reason: `it cannot be run (${outcome.startError.code ?? 'unknown error'})` };
  }
  if (outcome.isTimedOut) return { interpreter: undefined, reason: `it gave no answer in ${PROBE_TIMEOUT_MS} ms` };
  const interpreter = outcome.exitCode === 0 ? parseAnswer(outcome.stdout) : undefined;
  if (interpreter === undefined) return { interpreter: undefined, reason: explain(outcome) };
  const isShim = realpathSync(candidate) !== realpathSync(interpreter.path);
  if (record !== undefined)
    writeRecord(record, { candidate: before, found: stampOf(interpreter.path), interpreter, isShim });
  return { interpreter, isShim };
}

function explain(outcome: { exitCode: number | null; signal: string | null; stderr: string }): string {
  const end = outcome.signal === null ? `exit status ${outcome.exitCode ?? 'unknown'}` : `signal ${outcome.signal}`;
  const words = outcome.stderr.split('\n').find((line) => line.trim() !== '');
  return `it did not say what it is (${end}${words === undefined ? '' : `: ${words.trim()}`})`;
}

function parseAnswer(text: string): Interpreter | undefined {
  const answer = parseJson(text);
  if (!isRecord(answer)) return undefined;
  const { executable, versionInfo, prefix, basePrefix, platformTag, sitePackages } = answer;
  if (typeof executable !== 'string' || typeof prefix !== 'string' || typeof basePrefix !== 'string') return undefined;
  if (typeof platformTag !== 'string' || typeof sitePackages !== 'string' || !Array.isArray(versionInfo))
    return undefined;
  const [major, minor, micro] = versionInfo.map(Number);
  if (major === undefined || minor === undefined || micro === undefined) return undefined;
  // An embedded Python may not know its own program, and one that is not there cannot be started.
  if (stampOf(executable) === undefined) return undefined;
  const version = `${major}.${minor}.${micro}`;
  const path = prefix === basePrefix ? realpathSync(executable) : executable;
  const stamp = stampOf(path);
  const identity = createHash('sha256')
    .update(JSON.stringify([path, realpathSync(path), version, platformTag, stamp]))
    .digest('hex')
    .slice(0, 16);
  return { path, version, versionInfo: [major, minor, micro], prefix, basePrefix, platformTag, sitePackages, identity };
}

/** Time in milliseconds and size in bytes of a file, links followed. */
type Stamp = readonly [mtimeMs: number, size: number];

interface ProbeRecord {
  readonly candidate: Stamp;
  readonly found: Stamp | undefined;
  readonly interpreter: Interpreter;
  readonly isShim: boolean;
}

function stampOf(path: string): Stamp | undefined {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    return facts === undefined ? undefined : [facts.mtimeMs, facts.size];
  } catch {
    return undefined;
  }
}

function recordPath(candidate: string, options: ProbeOptions): string {
  const key = createHash('sha256').update(JSON.stringify([candidate, selectionFacts(candidate, options.env)]));
  return join(options.cacheDir ?? '', 'interpreters', `${key.digest('hex').slice(0, 32)}.json`);
}

function readRecord(file: string, candidate: Stamp): ProbeAnswer | undefined {
  let record: unknown;
  try {
    record = parseJson(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
  if (!isProbeRecord(record) || !isSame(record.candidate, candidate)) return undefined;
  const found = stampOf(record.interpreter.path);
  if (found === undefined || !isSame(record.found, found)) return undefined;
  return { interpreter: record.interpreter, isShim: record.isShim };
}

function writeRecord(file: string, record: ProbeRecord): void {
  const aside = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(aside, JSON.stringify(record));
    renameSync(aside, file);
  } catch {
    // Without a cache the next host asks again: slower, not wrong.
  }
}

function isProbeRecord(value: unknown): value is ProbeRecord {
  return (
    isRecord(value) &&
    Array.isArray(value['candidate']) &&
    isRecord(value['interpreter']) &&
    typeof value['interpreter']['path'] === 'string' &&
    typeof value['interpreter']['sitePackages'] === 'string'
  );
}

function isSame(left: Stamp | undefined, right: Stamp): boolean {
  return left !== undefined && left[0] === right[0] && left[1] === right[1];
}

function selectionVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of Object.keys(env)) {
    const value = SELECTION_VARIABLES.test(name) ? env[name] : undefined;
    if (value !== undefined) chosen[name] = value;
  }
  return chosen;
}

/** What else the answer of a shim depends on; nothing for a program, whose answer is always the same. */
function selectionFacts(candidate: string, env: NodeJS.ProcessEnv): unknown {
  if (!isScript(candidate) && !dirname(candidate).endsWith('shims')) return null;
  const directories = [process.cwd()];
  for (let parent = dirname(process.cwd()); parent !== directories.at(-1); parent = dirname(parent)) {
    directories.push(parent);
  }
  const files = directories.flatMap((directory) => SELECTION_FILES.map((name) => join(directory, name)));
  const pyenv = join(env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'version');
  const home = SELECTION_FILES.map((name) => join(homedir(), name));
  const stamps = [...files, ...home, pyenv]
    .map((file) => [file, stampOf(file)])
    .filter(([, stamp]) => stamp !== undefined);
  return [selectionVariables(env), stamps];
}

function isScript(path: string): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(2);
      readSync(file, head, 0, 2, 0);
      return head.toString('latin1') === '#!';
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

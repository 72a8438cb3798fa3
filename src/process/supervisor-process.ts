import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { StartError } from '../errors.ts';
import type { ExitFacts } from './child.ts';
import { diagnoseStart, type SpawnFailure } from './diagnose-start.ts';
import { unknownExit } from './exit-facts.ts';
import type { LaunchContext } from './launch.ts';
import type { Marks } from './marks.ts';
import { tailOutput } from './output-tail.ts';
import type { Rendezvous } from './rendezvous.ts';
import type { KeepAlive } from './supervised-child.ts';
import { SupervisorLink } from './supervisor-link.ts';

/** The supervisor gives its descendants 0.4 s to end and kills for 1.1 s more; then it is not heard from again. */
const END_TIMEOUT_MS = 1800;
/** The Python program of supervisors and fork servers. */
export const SUPERVISOR_PROGRAM: string = fileURLToPath(new URL('../../runner/charmer_supervisor.py', import.meta.url));
/** What an interpreter may need to load itself; nothing else of the host's environment. */
const INHERITED = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH'];

/** How the supervisor's interpreter is started. */
export interface SupervisorProcessOptions {
  readonly interpreter: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly byteCodeDirectory?: string;
}

/** A running supervisor. While somebody holds its `keepAlive`, the host program stays alive. */
export interface RunningSupervisor extends LaunchContext {
  readonly pid: number;
  readonly exited: Promise<void>;
  /** Has it end its children and itself; bounded. */
  end(): Promise<void>;
}

/**
 * Starts a supervisor and waits for its first words.
 *
 * @throws StartError `SPAWN_FAILED`, `EXITED_BEFORE_READY`
 */
export async function startSupervisorProcess(
  options: SupervisorProcessOptions,
  rendezvous: Rendezvous,
  marks: Marks,
): Promise<RunningSupervisor> {
  const command = commandOf(options, rendezvous.path);
  // A group of its own: an interrupt from the terminal is the host's to handle, in its own order.
  const child = spawn(options.interpreter, command, {
    cwd: '/',
    env: options.env ?? inheritedEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const spawnError = new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
  const exit = new Promise<ExitFacts>((resolve) => {
    child.once('exit', (code, signal) => resolve({ ...unknownExit(child.pid ?? 0, 0), code, signal }));
  });
  const stderr = tailOutput(child.stdio[2] as Readable);
  const link = new SupervisorLink(child.stdio[3] as Duplex, child.stdio[4] as Duplex);
  const first = await Promise.race([link.ready, spawnError]);
  if (child.pid === undefined || first === undefined || first instanceof Error) {
    const facts = child.pid === undefined ? undefined : await exit;
    await stderr.ended;
    const failure = first instanceof Error ? first : undefined;
    throw notStarted({ options, command, stderrTail: stderr.lines, exit: facts, spawnError: failure });
  }
  const exited = Promise.all([exit, link.closed]).then(() => undefined);
  const keepAlive = keepAliveOf(child);
  return { pid: child.pid, link, rendezvous, marks, keepAlive, exited, end: () => end(child, link, exited) };
}

function commandOf(options: SupervisorProcessOptions, socketPath: string): readonly string[] {
  const byteCode = options.byteCodeDirectory === undefined ? [] : ['-X', `pycache_prefix=${options.byteCodeDirectory}`];
  return ['-I', '-S', '-X', 'utf8', ...byteCode, SUPERVISOR_PROGRAM, socketPath];
}

function inheritedEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

function keepAliveOf(child: ChildProcess): KeepAlive {
  const handles = [child, ...child.stdio] as ({ ref?: () => void; unref?: () => void } | null)[];
  const unref = (): void => {
    for (const handle of handles) handle?.unref?.();
  };
  let holders = 0;
  unref();
  return {
    hold: () => {
      if (holders++ === 0) for (const handle of handles) handle?.ref?.();
    },
    release: () => {
      if (--holders === 0) unref();
    },
  };
}

async function end(child: ChildProcess, link: SupervisorLink, exited: Promise<void>): Promise<void> {
  link.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  try {
    await exited;
  } finally {
    clearTimeout(timer);
  }
}

function notStarted(start: {
  readonly options: SupervisorProcessOptions;
  readonly command: readonly string[];
  readonly stderrTail: readonly string[];
  readonly exit: ExitFacts | undefined;
  readonly spawnError: SpawnFailure | undefined;
}): StartError {
  const { interpreter } = start.options;
  const plan = { interpreter, argv: [interpreter, ...start.command], cwd: '/' };
  const { code, message, hint } = diagnoseStart({ ...start, plan });
  return new StartError(code, message, { hint, path: interpreter, stderrTail: start.stderrTail });
}

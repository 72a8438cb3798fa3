/**
 * Runs a helper program of the host (an interpreter that is asked who it is, an installer) to its end.
 *
 * Invariants: the call settles when the program ends, cannot start, overruns its limit or the caller gives up; what it
 * writes is kept only in part; nothing of its process group is left when the call has settled; and a program that runs
 * under a `guard` does not outlive this process either.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Output kept per stream, in UTF-16 units: far more than any error message, far less than a build log. */
const MAX_KEPT_OUTPUT = 256 * 1024;
/** After the end of the program: how long pipes that a grandchild holds open are still read, in milliseconds. */
const DRAIN_MS = 500;
/** From asking a program to end to making it, in milliseconds. Installers clean up in far less. */
const TERMINATION_GRACE_MS = 1000;

/**
 * Starts the words it is given in a session of their own and kills all of it when its own input ends: the host is
 * gone, or has given up. Its exit status is that of the program (128 and the number for a signal).
 */
const GUARD_PROGRAM = `
import os, select, signal, subprocess, sys
ends, wakes = os.pipe()
os.set_blocking(wakes, False)
signal.set_wakeup_fd(wakes)
signal.signal(signal.SIGCHLD, lambda *_: None)
try:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
except OSError as error:
    sys.stderr.write('%s\\n' % error)
    os._exit(127)
grace = ${TERMINATION_GRACE_MS / 1000}
asked = False
while child.poll() is None:
    ready = select.select([ends] if asked else [0, ends], [], [], grace if asked else None)[0]
    if ends in ready:
        os.read(ends, 64)
    elif asked:
        break
    if 0 in ready:
        asked = True
        try:
            os.killpg(child.pid, signal.SIGTERM)
        except OSError:
            pass
try:
    os.killpg(child.pid, signal.SIGKILL)
except OSError:
    pass
status = child.wait()
os._exit(status if status >= 0 else 128 - status)
`;

/** A program with its words, the program excluded. */
export interface ToolCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** How a helper program is run. */
export interface ToolOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Absolute path of a Python that watches over the program, so that it ends with this process. @default none */
  readonly guard?: string | undefined;
  /** @default no limit */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told every line of both streams as it comes, without its end. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** How a helper program ended. */
export interface ToolOutcome {
  /** Exit status; null when a signal ended it or it never ran. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last part of what it wrote. */
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not be started. */
  readonly startError?: NodeJS.ErrnoException;
  readonly isTimedOut: boolean;
}

/** @throws the reason of `signal` when the caller gives up */
export async function runTool(command: ToolCommand, options: ToolOptions): Promise<ToolOutcome> {
  options.signal?.throwIfAborted();
  const isWindows = process.platform === 'win32';
  const isGuarded = options.guard !== undefined && !isWindows;
  const program = isGuarded ? options.guard : command.program;
  const args = isGuarded ? ['-I', '-S', '-c', GUARD_PROGRAM, command.program, ...command.args] : command.args;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...options.env },
    // The guard watches its input; every other program gets none.
    stdio: [isGuarded ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: !isWindows,
    windowsHide: true,
  });
  return settle(child, options);
}

async function settle(child: ChildProcess, options: ToolOptions): Promise<ToolOutcome> {
  const stdout = keepTail(child.stdout, options.onLine);
  const stderr = keepTail(child.stderr, options.onLine);
  let isTimedOut = false;
  const stop = (): void => stopGroup(child);
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          isTimedOut = true;
          stop();
        }, options.timeoutMs);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const startError = await ended(child);
    options.signal?.throwIfAborted();
    const facts = { exitCode: child.exitCode, signal: child.signalCode, stdout: stdout(), stderr: stderr() };
    return startError === undefined ? { ...facts, isTimedOut } : { ...facts, isTimedOut, startError };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
  }
}

/** Settles when the program has ended and its pipes are read, or when it cannot be started. */
async function ended(child: ChildProcess): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve(error);
    });
    child.once('close', () => resolve(undefined));
    child.once('exit', () => {
      const drain = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_MS);
      child.once('close', () => clearTimeout(drain));
      // What the program left behind in its own group goes with it.
      signalGroup(child, 'SIGKILL');
    });
  });
}

function stopGroup(child: ChildProcess): void {
  // The end of its input tells the guard to do the same to the program's own session.
  child.stdin?.destroy();
  if (child.stdin === null) signalGroup(child, 'SIGTERM');
  const force = setTimeout(() => signalGroup(child, 'SIGKILL'), 2 * TERMINATION_GRACE_MS);
  void once(child, 'exit').then(
    () => clearTimeout(force),
    () => clearTimeout(force),
  );
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-child.pid, name);
  } catch {
    // The group is gone, which is what was wanted.
  }
}

function keepTail(stream: Readable | null, onLine: ((line: string) => void) | undefined): () => string {
  const kept: string[] = [];
  let size = 0;
  let partial = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    kept.push(chunk);
    size += chunk.length;
    while (size > MAX_KEPT_OUTPUT && kept.length > 1) size -= kept.shift()?.length ?? 0;
    if (onLine === undefined) return;
    const lines = (partial + chunk).split(/\r\n|\n|\r/);
    partial = (lines.pop() ?? '').slice(-MAX_KEPT_OUTPUT);
    for (const line of lines) if (line.trim() !== '') onLine(line);
  });
  stream?.on('error', () => undefined);
  return () => kept.join('');
}

import { CallError, StartError, type ExitReport } from '../errors.ts';
import type { OneShotReply } from '../formats/format.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from '../process/child.ts';
import { collectOutput, type CollectedOutput } from '../process/collect-output.ts';
import { exitReport } from '../process/exit-report.ts';
import { stopProcess } from '../process/stop-process.ts';
import type { StartChild } from './start-child.ts';

/** One process that answers one call. */
export interface OneShotLaunch {
  readonly plugin: string;
  readonly operation: string;
  readonly plan: LaunchPlan;
  readonly startChild: StartChild;
  readonly input: Uint8Array;
  /** From the start of the process, in milliseconds. */
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** What came of it. */
export interface OneShotOutcome {
  readonly reply: OneShotReply;
  readonly exit: ExitReport;
  readonly pid: number;
  /** Standard error as text, its beginning cut where it was long. */
  readonly stderr: string;
  readonly launcher: 'exec' | 'fork';
  readonly launcherReason?: string;
}

/** Characters of standard output that an error shows. */
const SAMPLE_UNITS = 200;

/**
 * Starts a fresh process, writes the call, and waits for its end. At the deadline, and when the caller aborts, the
 * process is asked by SIGTERM, then killed with its whole group; the promise settles when it is gone.
 *
 * @throws StartError `SPAWN_FAILED`
 * @throws CallError `CALL_TIMEOUT`, `OUTPUT_TOO_LARGE`
 * @throws the signal's reason
 */
export async function runOneShot(launch: OneShotLaunch): Promise<OneShotOutcome> {
  const child = await start(launch);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), launch.timeoutMs);
  const onAbort = (): void => stop.abort();
  launch.signal?.addEventListener('abort', onAbort, { once: true });
  let stopping: Promise<unknown> | undefined;
  const onStop = (): void => {
    stopping = stopProcess(child);
  };
  stop.signal.addEventListener('abort', onStop, { once: true });
  if (launch.signal?.aborted === true) stop.abort();
  try {
    const collected = await collectOutput(child, {
      input: launch.input,
      maxBytes: launch.maxOutputBytes,
      stderr: { ...(launch.onLine && { onLine: launch.onLine }) },
    });
    await stopping;
    if (launch.signal?.aborted === true) throw launch.signal.reason;
    if (stop.signal.aborted) throw timedOut(launch, collected);
    return outcome(child, collected);
  } finally {
    clearTimeout(timer);
    launch.signal?.removeEventListener('abort', onAbort);
  }
}

async function start(launch: OneShotLaunch): Promise<Child> {
  const { plugin, operation, plan, startChild, signal } = launch;
  try {
    return await startChild(plan, signal);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(error.code, error.message, {
      plugin,
      operation,
      hint: error.hint,
      path: error.path,
      cause: error,
      details: { ...error.details, kind: 'spawn' },
    });
  }
}

function outcome(child: Child, collected: CollectedOutput): OneShotOutcome {
  const exit = exitReport(collected.exit, collected.stderr);
  return {
    reply: { stdout: collected.stdout, exitCode: exit.code, signal: exit.signal },
    exit,
    pid: child.pid,
    stderr: collected.stderr.text,
    launcher: child.launcher,
    ...(child.launcherReason !== undefined && { launcherReason: child.launcherReason }),
  };
}

function timedOut(launch: OneShotLaunch, collected: CollectedOutput): CallError {
  const { plugin, operation, timeoutMs } = launch;
  const exit = exitReport(collected.exit, collected.stderr);
  return new CallError(
    'CALL_TIMEOUT',
    `Operation '${operation}' of plugin '${plugin}' did not answer within ${timeoutMs} ms`,
    {
      plugin,
      operation,
      exit,
      stderrTail: exit.stderrTail,
      hint: 'Raise timeoutMs, or look at what the plugin waits for.',
      details: {
        kind: 'timeout',
        timeoutMs,
        stdoutSample: stdoutSample(collected.stdout),
        stderr: collected.stderr.text,
      },
    },
  );
}

/** The beginning of standard output, for people. */
export function stdoutSample(stdout: Uint8Array): string {
  return new TextDecoder().decode(stdout.subarray(0, SAMPLE_UNITS * 4)).slice(0, SAMPLE_UNITS);
}

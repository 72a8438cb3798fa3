/** One start of a process: its token, its mark, its connections, and what is done when it comes to nothing. */
import type { Socket } from 'node:net';
import { StartError } from '../errors.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import { diagnoseStart } from './diagnose-start.ts';
import { untilGivenUp } from './given-up.ts';
import type { Marks } from './marks.ts';
import type { Expectation, Rendezvous } from './rendezvous.ts';
import { signalNumber } from './signal-names.ts';
import type { StartOptions } from './supervision.ts';
import { type KeepAlive, SupervisedChild } from './supervised-child.ts';
import { LaunchFailedError, LinkClosedError, type StartedProcess, type SupervisorLink } from './supervisor-link.ts';

/** A start takes milliseconds; a supervisor that does not answer for so long never will. */
const START_TIMEOUT_MS = 30_000;
/** How long connections of a process that has ended may still be on their way. */
const LATE_CONNECTION_MS = 100;

/** What starts of one supervisor have in common. */
export interface LaunchContext {
  readonly link: SupervisorLink;
  readonly rendezvous: Rendezvous;
  readonly marks: Marks;
  readonly keepAlive: KeepAlive;
}

/** A process that has connected back. */
export interface Launched {
  readonly started: StartedProcess;
  readonly mark: number;
  readonly sockets: ReadonlyMap<number, Socket>;
}

/** Starts a plan's command. Errors as those of `Supervisor.exec`. */
export async function launchExec(
  context: LaunchContext,
  plan: LaunchPlan,
  options: StartOptions & { readonly launcherReason?: string } = {},
): Promise<SupervisedChild> {
  const { argv, cwd, env, limits } = plan;
  const { launcherReason } = options;
  try {
    const request: LaunchRequest = { verb: 'exec', channels: channelsOf(plan), fields: { argv, cwd, env, limits } };
    const launched = await launch(context, request, options);
    const { exited } = launched.started;
    return new SupervisedChild({ ...context, ...launched, exited, launcher: 'exec', launcherReason });
  } catch (error) {
    throw startError(error, plan);
  }
}

/** Descriptors of a plan's process that are connections. */
export function channelsOf(plan: LaunchPlan): readonly number[] {
  return [...(plan.stdin === 'pipe' ? [0] : []), 1, 2, ...(plan.hasWire ? [3, 4, 5, 6] : [])];
}

/** What to ask a supervisor for. */
export interface LaunchRequest {
  readonly verb: 'exec' | 'fork';
  readonly channels: readonly number[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Starts a process and waits for its connections.
 *
 * @throws LaunchFailedError, LinkClosedError
 * @throws StartError `READY_TIMEOUT`
 * @throws the signal's reason; the process is killed when it comes up all the same
 */
export async function launch(context: LaunchContext, request: LaunchRequest, options: StartOptions): Promise<Launched> {
  const { link, rendezvous, marks, keepAlive } = context;
  const { verb, channels, fields } = request;
  const { signal, timeoutMs = START_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const mark = marks.take();
  const expected = rendezvous.expect(channels);
  keepAlive.hold();
  const starting = link.start(verb, { ...fields, mark, channels, token: expected.token });
  releaseMark(starting, () => marks.release(mark));
  try {
    // An exec is told of after its connections; a copy may end before it has made them.
    if (verb === 'fork') cancelWhenEnded(starting, expected);
    const both = Promise.all([starting, expected.sockets]);
    const [started, sockets] = await untilGivenUp(both, { signal, timeoutMs }, () => startTimedOut(timeoutMs));
    return { started, mark, sockets };
  } catch (error) {
    expected.cancel(error);
    starting
      .then(({ pid }) => link.request('signal', { pid, mark, signal: signalNumber('SIGKILL'), group: true }))
      .catch(() => undefined);
    throw error;
  } finally {
    keepAlive.release();
  }
}

function releaseMark(starting: Promise<StartedProcess>, release: () => void): void {
  starting.then(({ exited }) => exited).then(release, release);
}

/** A process that ended connects no more, but what it did before may still be on its way. */
function cancelWhenEnded(starting: Promise<StartedProcess>, expected: Expectation): void {
  const cancel = (): void => expected.cancel(new LinkClosedError());
  const onExit = (): void => {
    if (expected.isOpen()) setTimeout(cancel, LATE_CONNECTION_MS);
  };
  starting.then(({ exited }) => exited).then(onExit, () => undefined);
}

/** An error of `launch` as callers of a supervisor see it. */
export function startError(error: unknown, plan: LaunchPlan): unknown {
  if (error instanceof LaunchFailedError) {
    const { code, message, hint } = diagnoseStart({ plan, stderrTail: [], spawnError: error.failure });
    return new StartError(code, message, { hint, cause: error, path: error.failure.path });
  }
  if (error instanceof LinkClosedError) {
    return new StartError('SPAWN_FAILED', 'The supervisor of processes ended during a start', {
      hint: 'It is started again by the next call',
      cause: error,
    });
  }
  return error;
}

/** A start that took too long. */
export function startTimedOut(timeoutMs: number): StartError {
  return new StartError('READY_TIMEOUT', `The process was not started within ${timeoutMs} ms`, {
    hint: 'The machine may be overloaded: allow more time',
  });
}

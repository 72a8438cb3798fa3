/**
 * The supervisor of one host: the only process that Node itself starts, early and once, because a start blocks the
 * event loop in proportion to the host's memory. It starts, watches and ends all other processes.
 *
 * Invariants: nothing is started before the first verb; starting and closing cannot overlap; every verb settles when
 * the supervisor ends; a supervisor that ended is replaced at the next verb, unless the host is closed.
 */
import { CallError, StartError } from '../errors.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from './child.ts';
import { diagnoseStart } from './diagnose-start.ts';
import { untilGivenUp } from './given-up.ts';
import { openRendezvous, type Rendezvous } from './rendezvous.ts';
import { createSpawnSupervisor } from './spawn-fallback.ts';
import { signalNumber } from './signal-names.ts';
import type { StartOptions, Supervisor, SupervisorOptions } from './supervision.ts';
import { SupervisedChild } from './supervised-child.ts';
import { LaunchFailedError, LinkClosedError } from './supervisor-link.ts';
import { type SupervisorProcess, startSupervisorProcess } from './supervisor-process.ts';

/** A start takes milliseconds; a supervisor that does not answer for so long never will. */
const START_TIMEOUT_MS = 30_000;

export type { StartOptions, Supervisor, SupervisorOptions };

/** A supervisor that starts nothing until it is used. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  return process.platform === 'win32' ? createSpawnSupervisor() : new ProcessSupervisor(options);
}

class ProcessSupervisor implements Supervisor {
  readonly #options: SupervisorOptions;
  #rendezvous: Promise<Rendezvous> | undefined;
  #running: Promise<SupervisorProcess> | undefined;
  #current: SupervisorProcess | undefined;
  #closing: Promise<void> | undefined;
  #nextMark = 1;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#current?.pid;
  }

  get exited(): Promise<void> {
    return this.#current?.exited ?? Promise.resolve();
  }

  async start(): Promise<void> {
    await this.#supervisor();
  }

  async exec(plan: LaunchPlan, options: StartOptions = {}): Promise<Child> {
    options.signal?.throwIfAborted();
    const { link, keepAlive } = await this.#supervisor();
    const channels = channelsOf(plan);
    const expected = (await this.#meetingPlace()).expect(channels);
    const mark = this.#nextMark++;
    keepAlive.hold();
    const { argv, cwd, env, limits } = plan;
    const starting = link.start('exec', { argv, cwd, env, limits, mark, channels, token: expected.token });
    try {
      const limitsOfWait = { signal: options.signal, timeoutMs: options.timeoutMs ?? START_TIMEOUT_MS };
      const both = Promise.all([starting, expected.sockets]);
      const [started, sockets] = await untilGivenUp(both, limitsOfWait, () => startTimedOut(limitsOfWait.timeoutMs));
      return new SupervisedChild({ link, started, mark, sockets, launcher: 'exec', keepAlive });
    } catch (error) {
      expected.cancel(error);
      // The process may come up although nobody waits for it any more.
      starting
        .then(
          ({ pid }) => link.request('signal', { pid, mark, signal: signalNumber('SIGKILL'), group: true }),
          () => undefined,
        )
        .catch(() => undefined);
      throw startError(error, plan, options.signal);
    } finally {
      keepAlive.release();
    }
  }

  fork(plan: LaunchPlan, options: StartOptions = {}): Promise<Child> {
    return this.exec(plan, options);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #supervisor(): Promise<SupervisorProcess> {
    if (this.#closing !== undefined) return Promise.reject(hostClosed());
    return (this.#running ??= this.#start());
  }

  async #start(): Promise<SupervisorProcess> {
    try {
      const rendezvous = await this.#meetingPlace();
      const supervisor = await startSupervisorProcess(this.#options, rendezvous.path);
      this.#current = supervisor;
      void supervisor.exited.then(() => {
        this.#current = undefined;
        this.#running = undefined;
        // The one that ended may have taken its socket along.
        this.#rendezvous = undefined;
        void rendezvous.close();
      });
      return supervisor;
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }

  #meetingPlace(): Promise<Rendezvous> {
    return (this.#rendezvous ??= openRendezvous());
  }

  async #close(): Promise<void> {
    // A start that is under way comes to its end first: what it starts must be ended too.
    const supervisor = await this.#running?.catch(() => undefined);
    await supervisor?.end();
    await (await this.#rendezvous?.catch(() => undefined))?.close();
  }
}

function channelsOf(plan: LaunchPlan): readonly number[] {
  return [...(plan.stdin === 'pipe' ? [0] : []), 1, 2, ...(plan.hasWire ? [3, 4, 5, 6] : [])];
}

function startError(error: unknown, plan: LaunchPlan, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true && error === signal.reason) return error;
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

function startTimedOut(timeoutMs: number): StartError {
  return new StartError('READY_TIMEOUT', `The process was not started within ${timeoutMs} ms`, {
    hint: 'The machine may be overloaded: allow more time',
  });
}

function hostClosed(): CallError {
  return new CallError('HOST_CLOSED', 'The host is closed and starts no more processes');
}

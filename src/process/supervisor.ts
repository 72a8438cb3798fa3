/**
 * The supervisor of one host: the only process that Node itself starts, early and once, because a start blocks the
 * event loop in proportion to the host's memory. It starts, watches and ends all other processes.
 *
 * Invariants: nothing is started before the first verb; starting and closing cannot overlap; every verb settles when
 * the supervisor ends; a supervisor that ended is replaced at the next verb, unless the host is closed.
 */
import { CallError } from '../errors.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from './child.ts';
import { ForkServers } from './fork-servers.ts';
import { launchExec } from './launch.ts';
import { Marks } from './marks.ts';
import { openRendezvous } from './rendezvous.ts';
import { createSpawnSupervisor } from './spawn-fallback.ts';
import type { ForkOptions, StartOptions, Supervisor, SupervisorOptions } from './supervision.ts';
import { type RunningSupervisor, startSupervisorProcess } from './supervisor-process.ts';

export type { ForkOptions, StartOptions, Supervisor, SupervisorOptions };

/** A supervisor that starts nothing until it is used. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  return process.platform === 'win32' ? createSpawnSupervisor() : new ProcessSupervisor(options);
}

/** One life of the supervisor's process with all that dies with it. */
interface Life extends RunningSupervisor {
  readonly forkServers: ForkServers;
}

class ProcessSupervisor implements Supervisor {
  readonly #options: SupervisorOptions;
  readonly #marks = new Marks();
  #life: Promise<Life> | undefined;
  #current: Life | undefined;
  #closing: Promise<void> | undefined;

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
    await this.#alive();
  }

  async exec(plan: LaunchPlan, options: StartOptions = {}): Promise<Child> {
    options.signal?.throwIfAborted();
    return launchExec(await this.#alive(), plan, options);
  }

  async fork(plan: LaunchPlan, options: ForkOptions = {}): Promise<Child> {
    options.signal?.throwIfAborted();
    const { forkServers } = await this.#alive();
    return forkServers.fork(plan, options);
  }

  async prepare(plan: LaunchPlan, options: ForkOptions = {}): Promise<void> {
    const { forkServers } = await this.#alive();
    await forkServers.prepare(plan, options);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #alive(): Promise<Life> {
    for (;;) {
      if (this.#closing !== undefined) throw hostClosed();
      const life = await (this.#life ??= this.#start());
      if (!life.link.isClosed) return life;
      // It has been killed and is not gone yet.
      await life.exited;
    }
  }

  async #start(): Promise<Life> {
    try {
      const rendezvous = await openRendezvous();
      const running = await startSupervisorProcess(this.#options, rendezvous, this.#marks).catch(async (error) => {
        await rendezvous.close();
        throw error;
      });
      const forkServers = new ForkServers(running, this.#options.spares);
      const life = { ...running, forkServers };
      this.#current = life;
      void running.exited.then(() => {
        this.#current = undefined;
        this.#life = undefined;
        void rendezvous.close();
      });
      return life;
    } catch (error) {
      this.#life = undefined;
      throw error;
    }
  }

  async #close(): Promise<void> {
    // A start that is under way comes to its end first: what it starts must be ended too.
    const life = await this.#life?.catch(() => undefined);
    await life?.end();
    await life?.rendezvous.close();
  }
}

function hostClosed(): CallError {
  return new CallError('HOST_CLOSED', 'The host is closed and starts no more processes');
}

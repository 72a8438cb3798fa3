/** The fork servers of one host: which plan goes to which, and what is started by exec instead. */
import { StartError } from '../errors.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import { NotForkableError } from './fork-order.ts';
import { type ForkablePlan, forkablePlan } from './fork-plan.ts';
import { ForkServer } from './fork-server.ts';
import { type LaunchContext, launchExec } from './launch.ts';
import { RUNNER_PRELOADS, STANDARD_PRELOADS } from './preloads.ts';
import { LinkClosedError } from './supervisor-link.ts';
import type { ForkOptions } from './supervision.ts';
import type { SupervisedChild } from './supervised-child.ts';

/** Servers at once; the least recently used makes room. A server with its spares holds 20 to 50 MiB. */
const MAX_SERVERS = 8;
const DEFAULT_SPARES = 2;
/** A server that does not come up is not tried again for so long. */
const RETRY_AFTER_MS = 10_000;

interface Entry {
  readonly starting: Promise<ForkServer>;
  server?: ForkServer;
  /** Why there is no server, and until when none is tried. */
  failure?: { readonly reason: string; readonly until: number };
}

/** At most eight interpreters, each for plans of one kind. */
export class ForkServers {
  readonly #supervisor: LaunchContext;
  readonly #spares: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(supervisor: LaunchContext, spares: number = DEFAULT_SPARES) {
    this.#supervisor = supervisor;
    this.#spares = spares;
  }

  /** Starts a plan in a copy, or by exec with the reason. Errors as those of `Supervisor.exec`. */
  async fork(plan: LaunchPlan, options: ForkOptions): Promise<SupervisedChild> {
    const forkable = this.#forkable(plan, options);
    if ('reason' in forkable) return this.#exec(plan, options, forkable.reason);
    const { server, failure } = this.#entry(plan, forkable, options);
    if (server === undefined) return this.#exec(plan, options, failure?.reason ?? 'the fork server is starting');
    try {
      return await server.fork(plan, options);
    } catch (error) {
      if (error instanceof NotForkableError) return this.#exec(plan, options, error.message);
      // The server ended before a copy had its order: nothing of the plan has run.
      if (isServerGone(error)) return this.#exec(plan, options, 'the fork server has ended');
      throw error;
    }
  }

  /** Settles when a plan's server is ready with its spares, or cannot be. */
  async prepare(plan: LaunchPlan, options: ForkOptions): Promise<void> {
    const forkable = this.#forkable(plan, options);
    if ('reason' in forkable) return;
    const { keepAlive } = this.#supervisor;
    keepAlive.hold();
    try {
      await (await this.#entry(plan, forkable, options).starting).fill();
    } catch {
      // The next `fork` tells the reason.
    } finally {
      keepAlive.release();
    }
  }

  #forkable(plan: LaunchPlan, options: ForkOptions): ForkablePlan | { readonly reason: string } {
    return forkablePlan(plan, { preload: options.preload ?? [], domain: options.domain ?? '' });
  }

  #exec(plan: LaunchPlan, options: ForkOptions, launcherReason: string): Promise<SupervisedChild> {
    return launchExec(this.#supervisor, plan, { ...options, launcherReason });
  }

  #entry(plan: LaunchPlan, forkable: ForkablePlan, options: ForkOptions): Entry {
    const known = this.#entries.get(forkable.key);
    if (known !== undefined && !isSpent(known)) {
      this.#entries.delete(forkable.key);
      this.#entries.set(forkable.key, known);
      return known;
    }
    const ahead = plan.hasWire ? [...STANDARD_PRELOADS, ...RUNNER_PRELOADS] : STANDARD_PRELOADS;
    const preload = [...ahead, ...(options.preload ?? [])];
    const starting = ForkServer.start(this.#supervisor, { plan, forkable, preload, spares: this.#spares });
    const entry: Entry = { starting };
    starting.then(
      (server) => {
        entry.server = server;
        void server.fill();
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        entry.failure = { reason, until: performance.now() + RETRY_AFTER_MS };
      },
    );
    this.#entries.set(forkable.key, entry);
    this.#evict();
    return entry;
  }

  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= MAX_SERVERS) return;
      this.#entries.delete(key);
      entry.starting.then(
        (server) => server.retire(),
        () => undefined,
      );
    }
  }
}

function isSpent({ server, failure }: Entry): boolean {
  if (failure !== undefined) return performance.now() > failure.until;
  return server?.isClosed === true;
}

function isServerGone(error: unknown): boolean {
  return error instanceof StartError && error.cause instanceof LinkClosedError;
}

import { setTimeout as delay } from 'node:timers/promises';

import { CallError, type ExitReport } from '../errors.ts';
import type { Operation } from '../plugin-spec.ts';
import { holdNode } from '../process/hold-node.ts';
import type { PluginSession, SessionCallOptions, WorkerEvent } from './plugin-session.ts';
import type { ResidentSession } from './resident-session.ts';
import { RestartPolicy } from './restart-policy.ts';

/** How a worker is, truthfully. */
export type WorkerState = 'idle' | 'starting' | 'ready' | 'crashed' | 'refused' | 'closed';

/** Starts one process of the plugin and makes it ready; its events are told from the very start. */
export type StartSession = (onEvent: (event: WorkerEvent) => void) => Promise<ResidentSession>;

/**
 * Keeps one process of a plugin at hand: starts it at the first use, replaces it after a crash, swaps it at a reload.
 *
 * Invariants: at most one start is under way; a dead process is never given work; `close()` outranks a start.
 */
export class Worker implements PluginSession {
  readonly #plugin: string;
  readonly #start: () => Promise<ResidentSession>;
  readonly #policy: RestartPolicy;
  readonly #listeners = new Set<(event: WorkerEvent) => void>();
  /** Settles when the worker is closed for good, with the report of its last process. */
  readonly exited: Promise<ExitReport | undefined>;
  #session: ResidentSession | undefined;
  #starting: Promise<ResidentSession> | undefined;
  #closing: Promise<ExitReport | undefined> | undefined;
  #operations: readonly Operation[] = [];
  #hasCrashed = false;
  #resolveExited: (report: ExitReport | undefined) => void = () => undefined;
  /** Processes started in place of crashed ones. */
  restarts = 0;

  constructor(plugin: string, start: StartSession) {
    this.#plugin = plugin;
    this.#start = () => start((event) => this.#tell(event));
    this.#policy = new RestartPolicy(plugin);
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
  }

  get state(): WorkerState {
    if (this.#closing !== undefined) return 'closed';
    if (this.#starting !== undefined) return 'starting';
    if (this.#session?.isAlive === true) return 'ready';
    if (this.#policy.state === 'open') return 'refused';
    return this.#hasCrashed ? 'crashed' : 'idle';
  }

  /** Operations of the last process that was ready; empty before the first. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  get pid(): number | undefined {
    return this.#session?.pid;
  }

  /** The living process, if there is one. */
  get current(): ResidentSession | undefined {
    return this.#session?.isAlive === true ? this.#session : undefined;
  }

  /** The living process, started when there is none. */
  async ready(): Promise<ResidentSession> {
    if (this.#closing !== undefined) throw this.#closed();
    const { current } = this;
    if (current !== undefined) return current;
    this.#starting ??= this.#replace().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  call(operation: string, args: readonly unknown[], options?: SessionCallOptions): Promise<unknown> {
    const { current } = this;
    if (current !== undefined) return current.call(operation, args, options);
    return this.ready().then((session) => session.call(operation, args, options));
  }

  stream(operation: string, args: readonly unknown[], options?: SessionCallOptions): AsyncIterable<unknown> {
    const { current } = this;
    return current !== undefined
      ? current.stream(operation, args, options)
      : this.#streamLater(operation, args, options);
  }

  async stacks(): Promise<string> {
    return (await this.ready()).stacks();
  }

  onEvent(listener: (event: WorkerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Puts a new process in the place of the present one, which is drained: it ends when its calls have.
   * `check` sees the new process first and may refuse it by throwing; then the old one stays.
   */
  async swap(check: (fresh: ResidentSession) => void): Promise<void> {
    if (this.#closing !== undefined) throw this.#closed();
    const fresh = await this.#start();
    try {
      check(fresh);
    } catch (error) {
      await fresh.close();
      throw error;
    }
    const old = this.current;
    this.#adopt(fresh);
    if (old !== undefined) void drain(old);
  }

  close(): Promise<ExitReport | undefined> {
    this.#closing ??= holdNode(this.#end());
    return this.#closing;
  }

  async #end(): Promise<ExitReport | undefined> {
    const starting = await this.#starting?.catch(() => undefined);
    const session = starting ?? this.#session;
    const report = await session?.close();
    this.#resolveExited(report);
    return report;
  }

  async #replace(): Promise<ResidentSession> {
    const wait = this.#policy.delayBeforeStart();
    if (wait > 0) await delay(wait);
    try {
      const session = await this.#start();
      if (this.#hasCrashed) this.restarts += 1;
      this.#adopt(session);
      return session;
    } catch (error) {
      if (this.#operations.length > 0) this.#policy.crashed();
      throw error;
    }
  }

  #adopt(session: ResidentSession): void {
    this.#session = session;
    this.#operations = session.operations;
    void session.exited.then((report) => this.#ended(session, report));
  }

  #ended(session: ResidentSession, report: ExitReport): void {
    if (session !== this.#session || this.#closing !== undefined) return;
    this.#hasCrashed = true;
    if (!session.wasKilledByHost) this.#policy.crashed();
    this.#tell({ type: 'exit', report });
  }

  #tell(event: WorkerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async *#streamLater(operation: string, args: readonly unknown[], options?: SessionCallOptions): AsyncGenerator {
    const session = await this.ready();
    yield* session.stream(operation, args, options);
  }

  #closed(): CallError {
    return new CallError('HOST_CLOSED', `Plugin '${this.#plugin}' is closed`, {
      plugin: this.#plugin,
      hint: 'Load it again.',
    });
  }
}

/** A process that takes no new calls ends when those under way have ended. */
async function drain(session: ResidentSession): Promise<void> {
  await session.idle();
  await session.close();
}

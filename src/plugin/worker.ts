import { setTimeout as delay } from 'node:timers/promises';

import { CallError, type ExitReport } from '../errors.ts';
import type { Operation } from '../plugin-spec.ts';
import { untilGivenUp } from '../process/given-up.ts';
import { holdNode } from '../process/hold-node.ts';
import { timeoutError } from './call-watch.ts';
import type { PluginSession, SessionCallOptions, WorkerEvent } from './plugin-session.ts';
import type { ResidentSession } from './resident-session.ts';
import { RestartPolicy } from './restart-policy.ts';

/** How a worker is, truthfully. */
export type WorkerState = 'idle' | 'starting' | 'ready' | 'crashed' | 'refused' | 'closed';

/** Starts one process of the plugin and makes it ready; its events are told from the very start. Aborting gives up. */
export type StartSession = (onEvent: (event: WorkerEvent) => void, signal: AbortSignal) => Promise<ResidentSession>;

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
  readonly #closer = new AbortController();
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
    this.#start = () => start((event) => this.#tell(event), this.#closer.signal);
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

  /** The living process, started when there is none. Who gives up leaves the start to others who wait for it. */
  async ready(signal?: AbortSignal): Promise<ResidentSession> {
    if (this.#closing !== undefined) throw this.#closed();
    const { current } = this;
    if (current !== undefined) return current;
    this.#starting ??= this.#replace().finally(() => {
      this.#starting = undefined;
    });
    return untilGivenUp(this.#starting, { signal }, () => this.#closed());
  }

  /** The living process for a call whose deadline runs already, and the options with the time that is left. */
  async readyFor(
    operation: string,
    options: SessionCallOptions = {},
  ): Promise<{ readonly session: ResidentSession; readonly options: SessionCallOptions }> {
    const begun = performance.now();
    const { signal, timeoutMs } = options;
    const session = await untilGivenUp(this.ready(), { signal, timeoutMs }, () =>
      this.#startTimeout(operation, timeoutMs ?? 0),
    );
    if (timeoutMs === undefined) return { session, options };
    return { session, options: { ...options, timeoutMs: Math.max(1, timeoutMs - (performance.now() - begun)) } };
  }

  call(operation: string, args: readonly unknown[], options?: SessionCallOptions): Promise<unknown> {
    const { current } = this;
    if (current !== undefined) return current.call(operation, args, options);
    return this.readyFor(operation, options).then((ready) => ready.session.call(operation, args, ready.options));
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
    this.#closer.abort(this.#closed());
    const starting = await this.#starting?.catch(() => undefined);
    const session = starting ?? this.#session;
    const report = await session?.close();
    this.#resolveExited(report);
    return report;
  }

  async #replace(): Promise<ResidentSession> {
    const wait = this.#policy.delayBeforeStart();
    const { signal } = this.#closer;
    if (wait > 0) await delay(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
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
    const ready = await this.readyFor(operation, options);
    yield* ready.session.stream(operation, args, ready.options);
  }

  #startTimeout(operation: string, timeoutMs: number): CallError {
    const hint = 'The plugin was still starting: load it before, or raise timeoutMs.';
    return timeoutError({ plugin: this.#plugin, operation }, { timeoutMs, kind: 'total', stacks: undefined, hint });
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

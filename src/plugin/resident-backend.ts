import { CallError, type ExitReport } from '../errors.ts';
import type { BatchRow, OpeningRequest, ResidentConversation } from '../formats/format.ts';
import type { JsonValue, LaunchPlan, Operation, PluginSpec } from '../plugin-spec.ts';
import { parseBatchItems, runBatch } from './batch-items.ts';
import type { CallOptions } from './call-options.ts';
import type { CallReport } from './call-report.ts';
import { withReport } from './with-report.ts';
import type { NodeSession } from './node-session.ts';
import type { PluginBackend, PluginStats } from './plugin-backend.ts';
import type { WorkerEvent } from './plugin-session.ts';
import type { Provenance } from './provenance.ts';
import { startResident, type ResidentSession } from './resident-session.ts';
import type { StartChild } from './start-child.ts';
import { Worker } from './worker.ts';

/** How many calls of a batch are under way at once: enough to keep the wire full, few enough to stay fair. */
const BATCH_IN_FLIGHT = 256;

/** A plugin's files as they are now, and how they are started. */
export interface PlannedPlugin {
  readonly spec: PluginSpec;
  readonly plan: LaunchPlan;
}

/** Everything that a resident plugin is made of. */
export interface ResidentParts<Session extends NodeSession> {
  readonly planned: PlannedPlugin;
  readonly provenance: Provenance;
  readonly conversation: ResidentConversation;
  readonly request: OpeningRequest;
  readonly startChild: StartChild;
  readonly readyTimeoutMs: number;
  /** Reads and plans the plugin anew, for a reload. */
  replan(): Promise<PlannedPlugin>;
  /** Opens one node of this plugin as a session. */
  openNode(node: string, params: Readonly<Record<string, unknown>> | undefined, signal?: AbortSignal): Promise<Session>;
  onEvent(event: WorkerEvent): void;
}

/** A plugin in a process of its own that answers many calls. */
export class ResidentBackend<Session extends NodeSession> implements PluginBackend<Session> {
  readonly #parts: ResidentParts<Session>;
  readonly #worker: Worker;
  readonly #instances = new Set<ResidentBackend<Session>>();
  #planned: PlannedPlugin;
  #calls = 0;
  #starts = 0;
  #closing: Promise<ExitReport | undefined> | undefined;

  constructor(parts: ResidentParts<Session>) {
    this.#parts = parts;
    this.#planned = parts.planned;
    this.#worker = new Worker(parts.planned.spec.id, (onEvent, signal) => this.#start(onEvent, signal));
    this.#worker.onEvent((event) => parts.onEvent(event));
  }

  get spec(): PluginSpec {
    return this.#planned.spec;
  }

  get provenance(): Provenance {
    return this.#parts.provenance;
  }

  get operations(): readonly Operation[] | undefined {
    return this.#starts > 0 ? this.#worker.operations : this.spec.operations;
  }

  get facts(): Readonly<Record<string, unknown>> {
    return this.#worker.current?.facts ?? {};
  }

  get state(): string {
    return this.#worker.state;
  }

  get pid(): number | undefined {
    return this.#worker.pid;
  }

  /** Starts the process unless it runs; settles when the plugin is ready. */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#worker.ready(signal);
  }

  call(operation: string, args: readonly unknown[], options: CallOptions): Promise<unknown> {
    this.#calls += 1;
    const isPlain = options.onReport === undefined && options.idempotent !== true;
    if (!isPlain || this.#worker.current === undefined) return this.#reportedCall(operation, args, options);
    const begun = performance.now();
    const { pid } = this;
    return this.#worker.call(operation, args, options).catch((error: unknown) => {
      throw withReport(error, this.#report(operation, { asked: begun, begun, pid }), options.signal);
    });
  }

  stream(operation: string, args: readonly unknown[], options: CallOptions): AsyncIterable<unknown> {
    this.#calls += 1;
    return this.#worker.stream(operation, args, options);
  }

  batch(operation: string, items: readonly unknown[], options: CallOptions): Promise<readonly BatchRow[]> {
    const { onRow, concurrency = BATCH_IN_FLIGHT } = options;
    return runBatch(parseBatchItems(items), (item) => this.call(operation, [item.input], options), {
      concurrency,
      onRow,
    });
  }

  async configure(config: JsonValue): Promise<PluginBackend<Session>> {
    const instance = new ResidentBackend({
      ...this.#parts,
      planned: this.#planned,
      request: { ...this.#parts.request, config },
    });
    this.#instances.add(instance);
    try {
      await instance.start();
    } catch (error) {
      this.#instances.delete(instance);
      throw error;
    }
    return instance;
  }

  open(node: string, params: Readonly<Record<string, unknown>> | undefined, signal?: AbortSignal): Promise<Session> {
    if (this.operations?.some(({ kind }) => kind === 'node') === false) return Promise.reject(this.#hasNoNodes(node));
    return this.#parts.openNode(node, params, signal);
  }

  stacks(): Promise<string> {
    return this.#worker.stacks();
  }

  async reload(): Promise<void> {
    const before = this.#worker.operations;
    const planned = await this.#parts.replan();
    const previous = this.#planned;
    this.#planned = planned;
    try {
      await this.#worker.swap((fresh) => refuseBreaks(planned.spec.id, before, fresh.operations));
    } catch (error) {
      this.#planned = previous;
      throw error;
    }
    this.#parts.onEvent({ type: 'reload', pid: this.pid });
  }

  stats(): PluginStats {
    return {
      calls: this.#calls,
      active: this.#worker.current?.activeCalls ?? 0,
      starts: this.#starts,
      restarts: this.#worker.restarts,
    };
  }

  close(): Promise<ExitReport | undefined> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<ExitReport | undefined> {
    await Promise.all([...this.#instances].map((instance) => instance.close()));
    const report = await this.#worker.close();
    this.#parts.onEvent({ type: 'close', report });
    return report;
  }

  #hasNoNodes(operation: string): CallError {
    const { id: plugin } = this.spec;
    const hint = 'Use plugin.call or plugin.stream; only nodes are opened.';
    return new CallError('OPERATION_UNKNOWN', `Plugin '${plugin}' has no nodes`, { plugin, operation, hint });
  }

  async #start(onEvent: (event: WorkerEvent) => void, signal: AbortSignal): Promise<ResidentSession> {
    this.#starts += 1;
    const { conversation, request, startChild, readyTimeoutMs } = this.#parts;
    return startResident({
      ...this.#planned,
      conversation,
      request,
      startChild,
      readyTimeoutMs,
      signal,
      onEvent,
    });
  }

  async #reportedCall(operation: string, args: readonly unknown[], options: CallOptions): Promise<unknown> {
    const asked = performance.now();
    let begun: number | undefined;
    let pid: number | undefined;
    const report = (): CallReport => this.#report(operation, { asked, begun, pid });
    const attempt = async (): Promise<unknown> => {
      const ready = await this.#worker.readyFor(operation, options);
      begun ??= performance.now();
      ({ pid } = ready.session);
      return ready.session.call(operation, args, ready.options);
    };
    try {
      return await attempt().catch((error: unknown) => {
        if (options.idempotent === true && isDeath(error)) return attempt();
        throw error;
      });
    } catch (error) {
      throw withReport(error, report(), options.signal);
    } finally {
      options.onReport?.(report());
    }
  }

  #report(operation: string, { asked, begun, pid }: CallTimes): CallReport {
    const now = performance.now();
    return {
      plugin: this.spec.id,
      operation,
      launcher: 'warm',
      ...(pid !== undefined && { pid }),
      queueMs: (begun ?? now) - asked,
      runMs: begun === undefined ? 0 : now - begun,
      diagnostics: [],
    };
  }
}

/** When a call was asked for and given to its process, if it was. */
interface CallTimes {
  readonly asked: number;
  readonly begun: number | undefined;
  readonly pid: number | undefined;
}

function isDeath(error: unknown): boolean {
  return error instanceof CallError && error.code === 'PLUGIN_EXITED';
}

function refuseBreaks(plugin: string, before: readonly Operation[], after: readonly Operation[]): void {
  const broken = before.flatMap((old) => {
    const fresh = after.find((each) => each.name === old.name);
    if (fresh === undefined || (old.isAvailable !== false && fresh.isAvailable === false))
      return [`'${old.name}' is gone`];
    if (fresh.kind !== old.kind) return [`'${old.name}' was ${old.kind} and is ${fresh.kind}`];
    if (fresh.wireMode !== old.wireMode) return [`'${old.name}' was ${old.wireMode} and is ${fresh.wireMode}`];
    return [];
  });
  if (broken.length === 0) return;
  throw new CallError(
    'RELOAD_REFUSED',
    `The new version of plugin '${plugin}' breaks its interface: ${broken.join('; ')}`,
    {
      plugin,
      hint: 'The old version goes on; load the new one beside it, or restore the operations.',
      details: { broken },
    },
  );
}

import { setMaxListeners } from 'node:events';

import { CallError, PluginError, type ExitReport } from '../errors.ts';
import type { BatchRow, Diagnostic, OneShotCall, OneShotConversation, OneShotFailure } from '../formats/format.ts';
import type { JsonValue, Operation, PluginSpec } from '../plugin-spec.ts';
import { parseBatchItems, runBatch, type BatchItem } from './batch-items.ts';
import type { CallOptions } from './call-options.ts';
import type { CallReport } from './call-report.ts';
import type { NodeSession } from './node-session.ts';
import { runOneShot, stdoutSample, type OneShotOutcome } from './one-shot-run.ts';
import type { PluginBackend, PluginStats } from './plugin-backend.ts';
import type { WorkerEvent } from './plugin-session.ts';
import type { Provenance } from './provenance.ts';
import type { PlannedPlugin } from './resident-backend.ts';
import { withReport } from './with-report.ts';
import type { StartChild } from './start-child.ts';
import { Slots, takeAll } from './slots.ts';

/** Processes of one batch at once unless the caller says otherwise. */
const BATCH_CONCURRENCY = 3;
/** Items given to one process of a plugin that takes batches. */
const CHUNK_SIZE = 50;
/** What a chunk may take per item where that is more than the format's own budget, in milliseconds. */
const BUDGET_PER_ITEM_MS = 4_000;

/** Everything that a one-shot plugin is made of. */
export interface OneShotParts {
  readonly planned: PlannedPlugin;
  readonly provenance: Provenance;
  readonly conversation: OneShotConversation;
  readonly startChild: StartChild;
  /** Secret values by key. */
  readonly auth: Readonly<Record<string, string>>;
  /** The format's own switches. */
  readonly config: JsonValue | undefined;
  readonly strict: boolean;
  /** Places for processes, shared by all plugins of the host. */
  readonly hostSlots: Slots;
  /** Most processes of this plugin at once. */
  readonly maxProcesses: number;
  readonly maxOutputBytes: number;
  /** Deadline of calls that name none, in milliseconds; undefined: what the format's plugins are written for. */
  readonly timeoutMs: number | undefined;
  /** Reads the manifest as it is now. */
  replan(): Promise<PlannedPlugin>;
  /** Takes secret values out of a text. */
  redact(text: string, secrets: Readonly<Record<string, string>>): string;
  onEvent(event: WorkerEvent): void;
  /** Whether anybody hears lines of output: a gigabyte of them is not cut up for nobody. */
  isListenedTo(): boolean;
}

/** One call with all that belongs to it. */
interface PreparedCall {
  readonly call: OneShotCall;
  readonly options: CallOptions;
  readonly timeoutMs: number;
}

/** A plugin that is a fresh process per call. Its manifest is read anew for every call. */
export class OneShotBackend<Session extends NodeSession> implements PluginBackend<Session> {
  readonly #parts: OneShotParts;
  readonly #slots: Slots;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #planned: PlannedPlugin;
  #calls = 0;
  #starts = 0;

  constructor(parts: OneShotParts) {
    this.#parts = parts;
    this.#planned = parts.planned;
    this.#slots = new Slots(parts.maxProcesses);
    // Every call under way listens: that is no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  get spec(): PluginSpec {
    return this.#planned.spec;
  }

  get provenance(): Provenance {
    return this.#parts.provenance;
  }

  get operations(): readonly Operation[] | undefined {
    return this.spec.operations;
  }

  get facts(): Readonly<Record<string, unknown>> {
    return {};
  }

  get state(): string {
    return this.#closing.signal.aborted ? 'closed' : 'ready';
  }

  get pid(): undefined {
    return undefined;
  }

  async call(operation: string, args: readonly unknown[], options: CallOptions): Promise<unknown> {
    if (args.length > 1) {
      throw new CallError(
        'ARGUMENT_INVALID',
        `Operation '${operation}' of plugin '${this.spec.id}' takes one input; got ${args.length}`,
        {
          plugin: this.spec.id,
          operation,
          hint: 'Pass one object with all fields.',
        },
      );
    }
    const [input] = args;
    const call: OneShotCall = { ...this.#callFields(operation, options), mode: 'single', input };
    const timeoutMs = options.timeoutMs ?? this.#parts.timeoutMs ?? this.#parts.conversation.defaultTimeoutMs.single;
    return this.#track({ call, options, timeoutMs });
  }

  async *stream(operation: string): AsyncGenerator<never> {
    throw new CallError(
      'WIRE_MODE_MISMATCH',
      `Operation '${operation}' of plugin '${this.spec.id}' gives one value, not a stream`,
      {
        plugin: this.spec.id,
        operation,
        hint: `Use plugin.call('${operation}', …).`,
      },
    );
  }

  async batch(operation: string, items: readonly unknown[], options: CallOptions): Promise<readonly BatchRow[]> {
    const parsed = parseBatchItems(items);
    if (parsed.length === 0) return [];
    const concurrency = options.concurrency ?? BATCH_CONCURRENCY;
    const { onRow, ...quiet } = options;
    const { spec } = await this.#reread();
    if (!this.#parts.conversation.canBatch(spec)) {
      return runBatch(parsed, (item) => this.call(operation, [item.input], quiet), { concurrency, onRow });
    }
    const chunks = chunked(parsed, options.chunkSize ?? CHUNK_SIZE);
    const rows: (readonly BatchRow[])[] = [];
    await runBatch(
      chunks.map((chunk, index) => ({ id: String(index), input: chunk })),
      async ({ id, input }) => {
        const chunkRows = await this.#chunkRows(operation, input as readonly BatchItem[], quiet);
        rows[Number(id)] = chunkRows;
        for (const row of chunkRows) onRow?.(row);
      },
      { concurrency },
    );
    return rows.flat();
  }

  /** One process for all items; whatever ends it rejects. */
  async batchInOneProcess(operation: string, items: readonly BatchItem[], options: CallOptions): Promise<unknown> {
    const call: OneShotCall = { ...this.#callFields(operation, options), mode: 'batch', items };
    const budget = Math.max(this.#parts.conversation.defaultTimeoutMs.batch, items.length * BUDGET_PER_ITEM_MS);
    return this.#track({ call, options, timeoutMs: options.timeoutMs ?? this.#parts.timeoutMs ?? budget });
  }

  configure(): Promise<never> {
    return Promise.reject(this.#unsupported('has no instances: every call is a process of its own'));
  }

  open(): Promise<never> {
    return Promise.reject(this.#unsupported('has no nodes'));
  }

  stacks(): Promise<never> {
    return Promise.reject(this.#unsupported('has no worker whose stacks could be shown'));
  }

  async reload(): Promise<void> {
    await this.#reread();
  }

  stats(): PluginStats {
    return { calls: this.#calls, active: this.#running.size, starts: this.#starts, restarts: 0 };
  }

  async close(): Promise<ExitReport | undefined> {
    const isFirst = !this.#closing.signal.aborted;
    this.#closing.abort(this.#closedError());
    await Promise.allSettled(this.#running);
    if (isFirst) this.#parts.onEvent({ type: 'close' });
    return undefined;
  }

  async #chunkRows(operation: string, items: readonly BatchItem[], options: CallOptions): Promise<readonly BatchRow[]> {
    try {
      const rows = await this.batchInOneProcess(operation, items, options);
      // Under `strict` a plugin's rows are whatever it wrote; what is no list cannot be told item by item.
      return Array.isArray(rows) ? (rows as readonly BatchRow[]) : items.map(({ id }) => ({ id, result: rows }));
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      if (options.isolate !== true || items.length === 1) return items.map(({ id }) => ({ id, error }));
      const alone = items.map((item) => this.#chunkRows(operation, [item], options));
      return (await Promise.all(alone)).flat();
    }
  }

  #callFields(operation: string, options: CallOptions): Omit<OneShotCall, 'mode'> {
    return {
      operation,
      auth: options.auth ?? this.#parts.auth,
      strict: options.strict ?? this.#parts.strict,
      config: this.#parts.config,
    };
  }

  #track(prepared: PreparedCall): Promise<unknown> {
    this.#calls += 1;
    const work = this.#run(prepared);
    this.#running.add(work);
    const forget = (): void => void this.#running.delete(work);
    work.then(forget, forget);
    return work;
  }

  async #run({ call, options, timeoutMs }: PreparedCall): Promise<unknown> {
    const { conversation, hostSlots, startChild, maxOutputBytes } = this.#parts;
    const asked = performance.now();
    const signal =
      options.signal === undefined ? this.#closing.signal : AbortSignal.any([options.signal, this.#closing.signal]);
    const { spec, plan } = await this.#reread();
    const input = conversation.encodeCall(spec, call);
    const free = await takeAll([this.#slots, hostSlots], signal);
    const begun = performance.now();
    let run: OneShotOutcome | undefined;
    let diagnostics: readonly Diagnostic[] = [];
    const report = (): CallReport =>
      this.#clean(reportOf({ spec, call, asked, begun, input, run, diagnostics }), call) as CallReport;
    try {
      this.#starts += 1;
      const { id: plugin } = spec;
      const onLine = !this.#parts.isListenedTo()
        ? undefined
        : (line: string): void =>
            this.#parts.onEvent({ type: 'output', stream: 'stderr', line: this.#redact(line, call) });
      run = await runOneShot({
        plugin,
        operation: call.operation,
        plan,
        startChild,
        input,
        timeoutMs,
        maxOutputBytes,
        signal,
        onLine,
      });
      const verdict = conversation.decodeReply(spec, call, run.reply);
      diagnostics = verdict.diagnostics;
      for (const diagnostic of diagnostics)
        this.#parts.onEvent({ type: 'diagnostic', operation: call.operation, ...diagnostic });
      if (!verdict.ok) throw this.#failure(call, verdict.failure, run);
      return verdict.value;
    } catch (error) {
      throw withReport(this.#redactError(error, call), report(), options.signal);
    } finally {
      free();
      options.onReport?.(report());
    }
  }

  async #reread(): Promise<PlannedPlugin> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    this.#planned = await this.#parts.replan();
    return this.#planned;
  }

  #failure(call: OneShotCall, failure: OneShotFailure, run: OneShotOutcome): CallError {
    const { exit } = run;
    const evidence = {
      plugin: this.spec.id,
      operation: call.operation,
      exit,
      stderrTail: exit.stderrTail,
      details: {
        ...failure.details,
        kind: failure.kind,
        stdoutSample: stdoutSample(run.reply.stdout),
        stderr: run.stderr,
        ...(failure.offset !== undefined && { offset: failure.offset }),
      },
    };
    switch (failure.kind) {
      case 'plugin':
        return new PluginError(failure.message, { ...evidence, pluginCode: 'PLUGIN_ERROR' });
      case 'exit':
        return new CallError('PLUGIN_EXITED', failure.message, {
          ...evidence,
          hint: 'The field stderrTail holds its last lines.',
        });
      case 'parse':
        return new CallError('RESULT_INVALID', failure.message, {
          ...evidence,
          hint: 'The plugin must write exactly one JSON document to standard output; log to standard error.',
        });
    }
  }

  #redact(text: string, call: OneShotCall): string {
    return this.#parts.redact(text, call.auth);
  }

  /** Secret values are taken out of every text that an error carries. */
  #redactError(error: unknown, call: OneShotCall): unknown {
    if (!(error instanceof CallError)) return error;
    error.message = this.#redact(error.message, call);
    for (const [name, value] of Object.entries(error)) Object.assign(error, { [name]: this.#clean(value, call) });
    return error;
  }

  #clean(value: unknown, call: OneShotCall): unknown {
    if (typeof value === 'string') return this.#redact(value, call);
    if (Array.isArray(value)) return value.map((member: unknown) => this.#clean(member, call));
    if (typeof value !== 'object' || value === null || value instanceof Error) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#clean(member, call)]));
  }

  #unsupported(what: string): CallError {
    return new CallError('OPERATION_UNKNOWN', `Plugin '${this.spec.id}' ${what}`, { plugin: this.spec.id });
  }

  #closedError(): CallError {
    return new CallError('HOST_CLOSED', `Plugin '${this.#planned.spec.id}' is closed`, {
      plugin: this.#planned.spec.id,
      hint: 'Load it again.',
    });
  }
}

function chunked(items: readonly BatchItem[], size: number): readonly (readonly BatchItem[])[] {
  const chunks: BatchItem[][] = [];
  for (let start = 0; start < items.length; start += Math.max(1, size))
    chunks.push(items.slice(start, start + Math.max(1, size)));
  return chunks;
}

function reportOf(facts: {
  spec: PluginSpec;
  call: OneShotCall;
  asked: number;
  begun: number;
  input: Uint8Array;
  run: OneShotOutcome | undefined;
  diagnostics: readonly Diagnostic[];
}): CallReport {
  const { spec, call, asked, begun, input, run, diagnostics } = facts;
  return {
    plugin: spec.id,
    operation: call.operation,
    launcher: run?.launcher ?? 'exec',
    ...(run?.launcherReason !== undefined && { launcherReason: run.launcherReason }),
    ...(run !== undefined && { pid: run.pid, exit: run.exit, bytesOut: run.reply.stdout.length }),
    queueMs: begun - asked,
    runMs: performance.now() - begun,
    bytesIn: input.length,
    diagnostics,
  };
}

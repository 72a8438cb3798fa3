import { CallError, StartError, type CharmerError, type ExitReport } from '../errors.ts';
import type { OpeningRequest, ResidentConversation } from '../formats/format.ts';
import { didYouMean } from '../nearest-name.ts';
import type { JsonObject, LaunchPlan, Operation, PluginSpec } from '../plugin-spec.ts';
import type { Child } from '../process/child.ts';
import { diagnoseStart } from '../process/diagnose-start.ts';
import { describeExit, exitReport } from '../process/exit-report.ts';
import { tailOutput, type OutputTail } from '../process/output-tail.ts';
import { stopProcess } from '../process/stop-process.ts';
import { within } from '../within.ts';
import type { StartChild } from './start-child.ts';
import { startConversation, type Conversation, type WireCallOptions } from '../wire/conversation.ts';
import { CallWatch } from './call-watch.ts';
import type { PluginSession, SessionCallOptions, WorkerEvent } from './plugin-session.ts';
import { watchedStream } from './watched-stream.ts';

/** How long the last words of a process are waited for after its end: somebody else may hold its pipes. */
const DRAIN_MS = 100;

/** Everything that starting a resident plugin needs. */
export interface ResidentLaunch {
  readonly spec: PluginSpec;
  readonly plan: LaunchPlan;
  readonly conversation: ResidentConversation;
  readonly request: OpeningRequest;
  readonly startChild: StartChild;
  /** From asking for the process until the plugin is ready, in milliseconds. */
  readonly readyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: WorkerEvent) => void;
}

/**
 * Starts a process, imports the plugin in it and checks it.
 *
 * @throws StartError `SPAWN_FAILED`, `EXITED_BEFORE_READY`, `READY_TIMEOUT`, `VERSION_MISMATCH`, `INTERFACE_MISMATCH`, `IMPORT_FAILED`
 */
export async function startResident(launch: ResidentLaunch): Promise<ResidentSession> {
  const opening = launch.conversation.opening(launch.spec, launch.request);
  const child = await launch.startChild(launch.plan, launch.signal, launch.conversation.preload);
  const session = new ResidentSession(launch, child);
  try {
    await session.open(opening);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/**
 * A plugin that lives in one process and answers many calls.
 *
 * Invariants: every call settles when the process ends; a call that is over for its caller and not for the worker gets
 * `CANCEL_GRACE_MS`, then the worker is killed; `close()` is shared and bounded by the stop ladder.
 */
export class ResidentSession implements PluginSession {
  readonly #launch: ResidentLaunch;
  readonly #child: Child;
  readonly #wire: Conversation;
  readonly #stderr: OutputTail;
  readonly #stdout: OutputTail;
  readonly #listeners = new Set<(event: WorkerEvent) => void>();
  readonly #slots = new Map<string, number>();
  #operations: readonly Operation[] = [];
  #warnings: readonly string[] = [];
  #facts: Readonly<Record<string, unknown>> = {};
  #closing: Promise<ExitReport> | undefined;
  #killedFor: string | undefined;
  #isGone = false;
  readonly exited: Promise<ExitReport>;

  constructor(launch: ResidentLaunch, child: Child) {
    this.#launch = launch;
    this.#child = child;
    if (child.wire === undefined) throw new TypeError('A resident plugin needs a launch plan with a wire');
    this.#stdout = this.#tail(child.stdout, 'stdout');
    this.#stderr = this.#tail(child.stderr, 'stderr');
    this.#wire = startConversation(child.wire, { onEvent: (event) => this.#tell(event) });
    this.exited = this.#watchExit();
    if (launch.onEvent !== undefined) this.#listeners.add(launch.onEvent);
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** What the plugin's Python half had to say about the plugin beside its operations. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Facts that the format's Python half reports, for example the interface hash. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#facts;
  }

  get pid(): number | undefined {
    return this.#isGone ? undefined : this.#child.pid;
  }

  /** How the process came to be. */
  get launcher(): 'exec' | 'fork' {
    return this.#child.launcher;
  }

  /** False from the moment that the process ended or was asked to. */
  get isAlive(): boolean {
    return !this.#isGone && this.#closing === undefined && this.#killedFor === undefined;
  }

  /** Whether the host ended the process because a call did not let go of it. */
  get wasKilledByHost(): boolean {
    return this.#killedFor !== undefined;
  }

  /** Settles when no call is under way, at once if there is none. */
  idle(): Promise<void> {
    return this.#wire.idle();
  }

  /** Calls that have not come to an end. */
  get activeCalls(): number {
    return this.#wire.pendingCount;
  }

  /** Takes the plugin from a started process to a plugin that is ready. */
  async open(opening: JsonObject): Promise<void> {
    const { plan, signal, readyTimeoutMs, conversation } = this.#launch;
    const deadline = new AbortController();
    const expire = async (): Promise<void> => deadline.abort(await this.#readyTimeout());
    const timer = setTimeout(() => void expire(), readyTimeoutMs);
    const either = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    const { first: importFirst, last: importLast } = plan.importPath;
    try {
      await this.#wire.hello({ signal: either });
      const { dialect } = conversation;
      const message = { dialect, importFirst, importLast, sitePackages: plan.sitePackages, opening };
      const opened = await this.#wire.open(message, { signal: either });
      this.#operations = opened.operations;
      this.#warnings = opened.warnings;
      this.#facts = opened.facts;
      opened.operations.forEach((operation, slot) => this.#slots.set(operation.name, slot));
    } finally {
      clearTimeout(timer);
    }
  }

  call(operation: string, args: readonly unknown[], options: SessionCallOptions = {}): Promise<unknown> {
    try {
      return this.#call(operation, args, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  stream(operation: string, args: readonly unknown[], options: SessionCallOptions = {}): AsyncIterable<unknown> {
    const slot = this.#slotOf(operation, ['server-stream', 'bidi', 'node', 'unary', 'client-stream']);
    const described = this.#describedAt(slot);
    const encoded = this.#encode(described, args);
    const watch = this.#watch(described.name, options);
    const items = this.#wire.stream(slot, encoded, {
      ...this.#wireOptions(options),
      signal: watch.signal,
      onSettled: () => watch.settled(),
    });
    const decode = this.#decoder(described);
    const { timeoutMs, idleTimeoutMs, signal } = options;
    return watchedStream(items, { watch, hasSignal: signal !== undefined, timeoutMs, idleTimeoutMs, decode });
  }

  stacks(timeoutMs = 2_000): Promise<string> {
    return this.#wire.dump({ timeoutMs });
  }

  onEvent(listener: (event: WorkerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the worker at once, for example because `cause` does not let go of it. */
  kill(cause: string): void {
    if (this.#isGone) return;
    this.#killedFor ??= cause;
    void this.#child.signal('SIGKILL', 'group').catch(() => undefined);
  }

  close(): Promise<ExitReport> {
    this.#closing ??= stopProcess(this.#child, {
      ask: () => this.#wire.close(),
      closeInput: () => void this.#child.wire?.input.end(),
    }).then(() => this.exited);
    return this.#closing;
  }

  /** Lets the Node process end while this worker is idle. */
  unref(): void {
    this.#child.unref();
  }

  #call(operation: string, args: readonly unknown[], options: SessionCallOptions): Promise<unknown> {
    const slot = this.#slotOf(operation, ['unary', 'client-stream']);
    const described = this.#describedAt(slot);
    const encoded = this.#encode(described, args);
    const isWatched = options.signal !== undefined || options.timeoutMs !== undefined;
    const answer = isWatched ? this.#sendWatched(slot, encoded, options) : this.#send(slot, encoded, options);
    const decode = this.#decoder(described);
    return decode === undefined ? answer : answer.then(decode);
  }

  #encode(operation: Operation, args: readonly unknown[]): readonly unknown[] {
    const { conversation, request } = this.#launch;
    return conversation.encodeArguments?.(operation, args, request) ?? args;
  }

  #decoder(operation: Operation): ((value: unknown) => unknown) | undefined {
    const { conversation, request } = this.#launch;
    return conversation.decoderOf?.(operation, request);
  }

  #send(slot: number, args: readonly unknown[], options: SessionCallOptions): Promise<unknown> {
    const described = this.#describedAt(slot);
    if (described.wireMode === 'raw')
      return this.#wire.callRaw(slot, rawArgument(described, args), this.#wireOptions(options));
    return this.#wire.call(slot, args, this.#wireOptions(options));
  }

  #sendWatched(slot: number, args: readonly unknown[], options: SessionCallOptions): Promise<unknown> {
    const watch = this.#watch(this.#describedAt(slot).name, options);
    const wireOptions = { ...this.#wireOptions(options), signal: watch.signal, onSettled: () => watch.settled() };
    watch.arm(options.timeoutMs, 'total');
    const described = this.#describedAt(slot);
    const answer =
      described.wireMode === 'raw'
        ? this.#wire.callRaw(slot, rawArgument(described, args), wireOptions)
        : this.#wire.call(slot, args, wireOptions);
    const answered = (): void => watch.answered();
    answer.then(answered, answered);
    return answer;
  }

  #watch(operation: string, options: SessionCallOptions): CallWatch {
    const worker = {
      plugin: this.#launch.spec.id,
      operation,
      stacks: (timeoutMs: number) => this.stacks(timeoutMs),
      kill: () => this.kill(operation),
    };
    return new CallWatch(worker, options.signal);
  }

  #wireOptions(options: SessionCallOptions): WireCallOptions {
    const { onProgress, traceparent, strict } = options;
    const forDialect = { ...(traceparent !== undefined && { traceparent }), ...(strict === true && { strict }) };
    return {
      ...(onProgress !== undefined && { onProgress }),
      ...(Object.keys(forDialect).length > 0 && { options: forDialect }),
    };
  }

  #slotOf(name: string, kinds: readonly Operation['kind'][]): number {
    const slot = this.#slots.get(name);
    if (slot === undefined || this.#describedAt(slot).isAvailable === false)
      throw this.#unknownOperation(name, slot !== undefined);
    const { kind } = this.#describedAt(slot);
    if (kinds.includes(kind)) return slot;
    throw new CallError(
      'WIRE_MODE_MISMATCH',
      `Operation '${name}' of plugin '${this.#launch.spec.id}' is a ${kind}; it was called as if it were not`,
      {
        plugin: this.#launch.spec.id,
        operation: name,
        hint: `Use plugin.stream('${name}', …) for operations that give several values.`,
      },
    );
  }

  #describedAt(slot: number): Operation {
    const operation = this.#operations[slot];
    if (operation === undefined) throw new TypeError(`No operation has the slot ${slot}`);
    return operation;
  }

  #unknownOperation(name: string, isDeclared: boolean): CallError {
    const { id } = this.#launch.spec;
    const known = this.#operations
      .filter((operation) => operation.isAvailable !== false)
      .map((operation) => operation.name);
    const state = isDeclared
      ? `Plugin '${id}' does not implement the optional operation '${name}'`
      : `Plugin '${id}' has no operation '${name}'`;
    return new CallError(
      'OPERATION_UNKNOWN',
      `${state}; it offers ${known.map((each) => `'${each}'`).join(', ') || 'none'}`,
      {
        plugin: id,
        operation: name,
        hint: didYouMean(name, known) ?? 'plugin.operations lists what it offers.',
      },
    );
  }

  #tail(stream: Child['stdout'], label: 'stdout' | 'stderr'): OutputTail {
    return tailOutput(stream, { label, onLine: (line) => this.#tell({ type: 'output', stream: label, line }) });
  }

  #tell(event: WorkerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async #watchExit(): Promise<ExitReport> {
    const facts = await this.#child.exited;
    this.#isGone = true;
    await within(Promise.all([this.#stderr.ended, this.#stdout.ended]), DRAIN_MS);
    const report = exitReport(facts, this.#stderr);
    this.#wire.end(this.#goneError(report));
    return report;
  }

  #goneError(report: ExitReport): CharmerError {
    const { spec, plan } = this.#launch;
    if (this.#operations.length === 0 && this.#closing === undefined) {
      const { code, message, hint } = diagnoseStart({ plan, exit: report, stderrTail: report.stderrTail });
      return new StartError(code, `Plugin '${spec.id}' did not start: ${message}`, {
        plugin: spec.id,
        hint,
        exit: report,
        stderrTail: report.stderrTail,
      });
    }
    const why =
      this.#killedFor === undefined
        ? describeExit(report)
        : `was stopped because '${this.#killedFor}' went on after its caller had left`;
    return new CallError('PLUGIN_EXITED', `The process of plugin '${spec.id}' ${why}`, {
      plugin: spec.id,
      exit: report,
      stderrTail: report.stderrTail,
      hint: 'The next call starts it again.',
    });
  }

  async #readyTimeout(): Promise<StartError> {
    const { spec, readyTimeoutMs } = this.#launch;
    const stacks = await this.stacks(250).catch(() => undefined);
    return new StartError('READY_TIMEOUT', `Plugin '${spec.id}' was not ready within ${readyTimeoutMs} ms`, {
      plugin: spec.id,
      stacks,
      stderrTail: this.#stderr.lines,
      hint: 'Raise readyTimeoutMs for plugins that load large models, or see the field stacks for what it waits for.',
    });
  }
}

function rawArgument(operation: Operation, args: readonly unknown[]): Uint8Array {
  const [bytes] = args;
  if (args.length === 1 && bytes instanceof Uint8Array) return bytes;
  throw new CallError(
    'WIRE_MODE_MISMATCH',
    `Operation '${operation.name}' takes raw bytes: exactly one Uint8Array was expected`,
    {
      operation: operation.name,
      hint: 'Pass one Buffer or Uint8Array; on the command line use --raw.',
    },
  );
}

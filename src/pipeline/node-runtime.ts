/**
 * One node of a running pipeline: its queue, its turns, its state.
 *
 * Invariants: one turn at a time, in the order of acceptance; a port message runs beside the turn; whatever happens in a turn
 * ends that turn only; a node that has ended answers every further input with the error that names how it ended.
 */
import { CallError, CharmerError, type ExitReport } from '../errors.ts';
import type { RuntimeData } from '../runtime-data.ts';
import { Channel } from './channel.ts';
import { type NodeMetrics, NodeMeter, type NodeState } from './node-metrics.ts';
import type { PipelineNode } from './pipeline-node.ts';
import { TurnDeadline } from './turn-deadline.ts';

/** Where a runtime's results go: the session's side. */
export interface RuntimeHooks {
  /** A value came out; a promise while there is no room for it. */
  readonly emit: (turn: number, data: RuntimeData) => Promise<unknown> | undefined;
  /** A turn (a port message, when `turn` is 0) failed; a promise while there is no room for the news. */
  readonly fail: (node: string, failure: TurnFailure) => boolean | Promise<boolean>;
  readonly turnStarted: (node: string, turn: number) => void;
  readonly turnEnded: (node: string, facts: TurnFacts) => void;
  /** The node is gone and nobody had asked for it. */
  readonly ended: (node: string, end: { exit: ExitReport | undefined; reason?: string }) => void;
}

/** What went wrong in one turn. */
export interface TurnFailure {
  /** Number of the input, from 1; 0: a port message. */
  readonly turn: number;
  readonly error: CharmerError;
  readonly port?: string;
}

/** How one turn went. */
export interface TurnFacts {
  readonly turn: number;
  readonly outputs: number;
  readonly durationMs: number;
  readonly failed: boolean;
}

/** Options of one runtime. */
export interface RuntimeOptions {
  /** Milliseconds of work per input. */
  readonly timeoutMs: number;
  /** Inputs that wait. */
  readonly capacity: number;
  /** Starts the node anew after it died; absent: it stays dead (R78). */
  readonly restart?: (() => Promise<PipelineNode>) | undefined;
}

/** The reason of a turn that was ended on purpose: no error of anybody. */
const CANCELLED = Symbol('turn cancelled');

/** Most port messages under way at once; more are refused, or one flood would hold all memory. */
const MAX_PORT_MESSAGES = 1024;

/** Inputs that a publish may add beyond the queue's capacity. */
const MAX_PUBLISHED = 1024;

/** One node of a running pipeline. */
export class NodeRuntime {
  readonly id: string;
  state: NodeState = 'enabled';
  readonly #hooks: RuntimeHooks;
  readonly #options: RuntimeOptions;
  readonly #inbox: Channel<RuntimeData>;
  readonly #meter = new NodeMeter();
  readonly #messages = new Set<Promise<void>>();
  readonly #life = new AbortController();
  #node: PipelineNode;
  #turns = 0;
  /** Inputs accepted or waiting for room whose turn has not come to its end. */
  #unfinished = 0;
  #running: { abort: AbortController; ended: Promise<void> } | undefined;
  /** Set once the node has ended without being asked to. */
  #exit: { readonly report: ExitReport | undefined; readonly reason?: string } | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(id: string, node: PipelineNode, wiring: { hooks: RuntimeHooks; options: RuntimeOptions }) {
    this.id = id;
    this.#hooks = wiring.hooks;
    this.#options = wiring.options;
    this.#inbox = new Channel(wiring.options.capacity);
    this.#node = node;
    this.#watch(node);
  }

  /** The node itself; another one after a restart. */
  get node(): PipelineNode {
    return this.#node;
  }

  get metrics(): NodeMetrics {
    return this.#meter.snapshot(this.#inbox.size, this.state);
  }

  /** Queues an input; false when the node takes no more. */
  accept(data: RuntimeData): boolean | Promise<boolean> {
    const accepted = this.#inbox.push(data);
    if (accepted === false) return false;
    this.#unfinished += 1;
    this.#meter.queued(this.#inbox.size);
    return accepted === true ? true : accepted.then((wasAccepted) => this.#refused(wasAccepted));
  }

  /** Queues an input without ever blocking; false when the node takes no more. */
  offer(data: RuntimeData): boolean {
    const accepted = this.#inbox.offer(data, this.#options.capacity + MAX_PUBLISHED);
    if (accepted) this.#unfinished += 1;
    this.#meter.queued(this.#inbox.size);
    return accepted;
  }

  /** Runs turns until the queue is closed and empty and no port message is under way. */
  async run(): Promise<void> {
    for (let step = await this.#inbox.take(); step.done !== true; step = await this.#inbox.take()) {
      const ended = this.#turn(step.value);
      if (this.#running !== undefined) this.#running.ended = ended;
      await ended;
      this.#unfinished -= 1;
      this.#settle();
    }
    while (this.#messages.size > 0) await Promise.all(this.#messages);
  }

  /** No more inputs; what waits is still worked on. */
  inputComplete(): void {
    this.#inbox.close();
  }

  /** Delivers a message to a port, beside the running turn; resolves when it has been answered. */
  message(port: string, payload: unknown): Promise<void> {
    const message = this.#message(port, payload);
    this.#messages.add(message);
    void message.finally(() => {
      this.#messages.delete(message);
      this.#settle();
    });
    return message;
  }

  /** Ends the running turn, if there is one; resolves when the next one can begin (R72). */
  async cancelTurn(): Promise<void> {
    const running = this.#running;
    running?.abort.abort(CANCELLED);
    await running?.ended;
  }

  /** The node says itself that it has ended while its process goes on. */
  markEnded(reason: unknown): void {
    if (this.#exit !== undefined || this.#life.signal.aborted) return;
    const words = typeof reason === 'string' ? { reason } : {};
    this.#exit = { report: undefined, ...words };
    this.#hooks.ended(this.id, { exit: undefined, ...words });
  }

  /** Resolves when nothing waits or runs in this node. */
  settled(): Promise<void> {
    if (this.#isSettled()) return Promise.resolve();
    return new Promise((settled) => this.#idleWaiters.push(settled));
  }

  /** Drops what waits, ends what runs, ends the node. Bounded by the node's own close. */
  close(): Promise<ExitReport | undefined> {
    this.#unfinished -= this.#inbox.discard();
    this.#life.abort(CANCELLED);
    this.#running?.abort.abort(CANCELLED);
    return this.#node.close();
  }

  async #turn(input: RuntimeData): Promise<void> {
    if (this.state === 'disabled') return;
    // Control messages are no inputs: they are looked at and answered with nothing.
    const turn = input.type === 'control' ? 0 : (this.#turns += 1);
    if (this.state === 'bypass') {
      await this.#hooks.emit(turn, input);
      return;
    }
    const abort = new AbortController();
    this.#running = { abort, ended: Promise.resolve() };
    const started = performance.now();
    this.#hooks.turnStarted(this.id, turn);
    const { outputs, error } = await this.#work(input, turn, abort);
    this.#running = undefined;
    const durationMs = performance.now() - started;
    this.#meter.turn({ durationMs, outputs, failed: error !== undefined });
    if (error !== undefined) await this.#hooks.fail(this.id, { turn, error });
    this.#hooks.turnEnded(this.id, { turn, outputs, durationMs, failed: error !== undefined });
  }

  async #work(
    input: RuntimeData,
    turn: number,
    abort: AbortController,
  ): Promise<{ outputs: number; error: CharmerError | undefined }> {
    const { timeoutMs } = this.#options;
    const deadline = new TurnDeadline(timeoutMs, () => abort.abort(timeoutError(this.id, turn, timeoutMs)));
    let outputs = 0;
    try {
      await this.#revive();
      for await (const output of this.#node.turn(input, { signal: abort.signal })) {
        outputs += 1;
        const room = this.#hooks.emit(turn, output);
        if (room === undefined) continue;
        deadline.pause();
        await untilAborted(room, abort.signal);
        deadline.resume();
      }
      return { outputs, error: undefined };
    } catch (error) {
      deadline.clear();
      if (abort.signal.aborted) await this.#freeNextTurn();
      return { outputs, error: error === CANCELLED ? undefined : this.#blame(error, turn) };
    } finally {
      deadline.clear();
    }
  }

  /** After an abort the plugin may still be at it: the next turn begins when it says that it is not, or has died. */
  async #freeNextTurn(): Promise<void> {
    try {
      if (this.#exit === undefined && !this.#life.signal.aborted) await this.#node.cancelTurn?.();
    } catch {
      // It died of it, which `exited` tells; or it has no such verb, and then the abort was all there is.
    }
  }

  async #message(port: string, payload: unknown): Promise<void> {
    if (this.#messages.size >= MAX_PORT_MESSAGES) {
      const message = `Node '${this.id}' has ${MAX_PORT_MESSAGES} port messages under way and takes no more`;
      await this.#hooks.fail(this.id, { turn: 0, port, error: new CallError('OVERLOADED', message) });
      return;
    }
    try {
      await this.#revive();
      if (this.#node.aux === undefined) throw noPorts(this.id, port);
      for await (const output of this.#node.aux(port, payload, { signal: this.#life.signal })) {
        await this.#hooks.emit(0, output);
      }
    } catch (error) {
      if (error !== CANCELLED) await this.#hooks.fail(this.id, { turn: 0, port, error: this.#blame(error) });
    }
  }

  /** @throws CallError `PLUGIN_EXITED` when the node is dead and stays dead */
  async #revive(): Promise<void> {
    if (this.#exit === undefined) return;
    if (this.#options.restart === undefined || this.#life.signal.aborted) throw endedError(this.id, this.#exit);
    const node = await this.#options.restart();
    this.#node = node;
    this.#exit = undefined;
    this.#meter.restarted();
    this.#watch(node);
  }

  #watch(node: PipelineNode): void {
    void node.exited.then((report) => {
      if (this.#life.signal.aborted || this.#node !== node) return;
      const isNews = this.#exit === undefined;
      this.#exit = { report };
      if (isNews) this.#hooks.ended(this.id, { exit: report });
    });
  }

  /** Adds whose error it is to the evidence; what is no error of ours is wrapped. */
  #blame(error: unknown, turn?: number): CharmerError {
    const ours =
      error instanceof CharmerError
        ? error
        : new CallError(
            'RESULT_INVALID',
            `Node '${this.id}' failed: ${error instanceof Error ? error.message : String(error)}`,
            {
              cause: error,
            },
          );
    const place = { node: this.id, ...(turn === undefined ? {} : { input: turn }) };
    return Object.assign(ours, { details: { ...ours.details, ...place } });
  }

  #refused(wasAccepted: boolean): boolean {
    if (!wasAccepted) this.#unfinished -= 1;
    return wasAccepted;
  }

  #isSettled(): boolean {
    return this.#unfinished === 0 && this.#messages.size === 0;
  }

  #settle(): void {
    if (this.#isSettled()) for (const settled of this.#idleWaiters.splice(0)) settled();
  }
}

function untilAborted(room: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    room.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}

function timeoutError(node: string, turn: number, timeoutMs: number): CallError {
  return new CallError('CALL_TIMEOUT', `Node '${node}' did not finish input ${turn} within ${timeoutMs} ms`, {
    hint: "Raise 'nodeTimeoutMs', or set 'fast_path' on the node for none",
  });
}

function endedError(node: string, end: { report: ExitReport | undefined; reason?: string }): CallError {
  const exit = end.report;
  const because = end.reason === undefined ? '' : `: ${end.reason}`;
  const byItself = `has ended with exit code ${exit?.code ?? 'unknown'}`;
  const how =
    exit === undefined ? `has ended${because}` : exit.signal === null ? byItself : `was ended by ${exit.signal}`;
  return new CallError('PLUGIN_EXITED', `Node '${node}' ${how}`, { exit, stderrTail: exit?.stderrTail });
}

function noPorts(node: string, port: string): CallError {
  return new CallError('OPERATION_UNKNOWN', `Node '${node}' has no ports, so '${port}' cannot be reached`);
}

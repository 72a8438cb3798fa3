/**
 * A running pipeline: inputs go to its sources, what its sinks put out comes back, in the order of arrival.
 *
 * Invariants: nothing that was accepted is dropped while the session is open (R43); the failure of one turn is told and ends
 * that turn only (R42); `close()` is shared, idempotent and bounded (R79, R86).
 */
import { CallError, type ExitReport } from '../errors.ts';
import type { PipelineManifest } from '../pipeline-manifest.ts';
import type { NodeOutput, NodeSession, SendTarget } from '../plugin/node-session.ts';
import type { WorkerEvent } from '../plugin/plugin-session.ts';
import { parseRuntimeData } from '../runtime-codec.ts';
import type { RuntimeData } from '../runtime-data.ts';
import { within } from '../within.ts';
import { type BusAddress, PERFORMANCE_NODE, TIMELINE_NODE } from './bus-address.ts';
import { Channel } from './channel.ts';
import type { ControlBus } from './control-bus.ts';
import { type ControlledSession, ControlSession } from './control-session.ts';
import { payloadOf } from './envelope.ts';
import type { PipelineGraph } from './graph.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { NodeProxy } from './node-proxy.ts';
import type { RuntimeHooks } from './node-runtime.ts';
import type { PipelineNode } from './pipeline-node.ts';
import { PipelineRouter } from './router.ts';
import type { SessionEventHub, SessionEvents } from './session-events.ts';

/** One thing that came out, with its kind. */
export interface PipelineOutput extends NodeOutput {
  /** The kind of `data`, or `error`. */
  readonly kind: RuntimeData['type'] | 'error';
}

/**
 * How errors of turns reach the caller; they are `error` events in any case. `items`: as items of the iteration, at their
 * place among the outputs. `throw`: the iteration throws, and a new one goes on behind the error. `silent`: not at all, as in
 * the original.
 */
export type ErrorPolicy = 'items' | 'throw' | 'silent';

/** How one node ended. */
export interface NodeExit {
  readonly node: string;
  readonly exit: ExitReport | undefined;
}

/** What a session is put together from. */
export interface SessionParts {
  readonly id: string;
  readonly manifest: PipelineManifest;
  readonly graph: PipelineGraph;
  readonly events: SessionEventHub;
  readonly bus: ControlBus;
  readonly errors: ErrorPolicy;
  /** Milliseconds of work per input. */
  readonly nodeTimeoutMs: number;
  /** Inputs that wait before a node. */
  readonly nodeCapacity: number;
  /** Outputs that wait for the client. */
  readonly outputCapacity: number;
  /** Whether envelopes of an author's own ports are data as well. */
  readonly portsReachData: boolean;
  readonly restart?: ((node: string) => Promise<PipelineNode>) | undefined;
}

/** Longest that `close()` takes, whatever the nodes do, in milliseconds: what the checklist promises (R79). */
const CLOSE_TIMEOUT_MS = 5_000;

/** A running pipeline. */
export class PipelineSession implements NodeSession, AsyncDisposable {
  readonly id: string;
  readonly manifest: PipelineManifest;
  /** Settles when the session has been closed. */
  readonly closed: Promise<void>;
  readonly #parts: SessionParts;
  readonly #router: PipelineRouter;
  readonly #outputs: Channel<PipelineOutput>;
  readonly #controls = new Map<string, ControlSession>();
  readonly #finished: Promise<void>;
  #state: 'open' | 'draining' | 'closing' | 'closed' = 'open';
  #closing: Promise<readonly NodeExit[]> | undefined;

  constructor(parts: SessionParts, nodes: ReadonlyMap<string, PipelineNode>) {
    this.id = parts.id;
    this.manifest = parts.manifest;
    this.#parts = parts;
    this.closed = new Promise((resolve) => parts.events.on('close', () => resolve()));
    this.#outputs = new Channel(parts.outputCapacity);
    this.#router = new PipelineRouter(
      {
        nodes: parts.manifest.nodes,
        graph: parts.graph,
        bus: parts.bus,
        timeoutMs: parts.nodeTimeoutMs,
        capacity: parts.nodeCapacity,
        portsReachData: parts.portsReachData,
        restart: parts.restart,
        toClient: (node, turn, data) => this.#outputs.push({ node, turn, data, kind: data.type }),
        hooks: this.#hooks(),
      },
      nodes,
    );
    this.#finished = this.#router.run().then(() => this.#outputs.close());
  }

  /** `open`, `draining` after `inputComplete()`, `closing`, `closed`. */
  get state(): 'open' | 'draining' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Every warning so far, those about the manifest included. */
  get warnings(): readonly string[] {
    return this.#parts.events.warnings;
  }

  /**
   * Sends a value: to every source, to one node, or to a port of one node. Resolves when it has been accepted, so that
   * awaiting it is the back-pressure; a port message is accepted at once. Typed arrays are not copied: do not change them
   * afterwards.
   *
   * @throws CallError `HOST_CLOSED` after `inputComplete()` or `close()`, `ARGUMENT_INVALID`
   * @throws PipelineError `NODE_UNKNOWN`
   */
  async send(data: unknown, target: SendTarget = {}): Promise<void> {
    if (this.#state !== 'open') throw inputClosed(this.id);
    const value = parseRuntimeData(data);
    const node = target.node ?? (target.port === undefined ? undefined : this.#parts.graph.sources[0]);
    if (node !== undefined) this.#parts.bus.checkNode(node);
    if (node !== undefined && target.port !== undefined) {
      this.#publish({ text: `${node}.in.${target.port}`, node, port: target.port }, value);
    } else if (!(await this.#router.send(value, node))) throw inputClosed(this.id);
  }

  /** R85: no more inputs; what is under way still comes out, then the iteration ends. Idempotent. */
  inputComplete(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'draining';
      this.#router.inputComplete();
    }
    return Promise.resolve();
  }

  /** The next output, or undefined once everything has come out or the session is closed (R84). */
  async receive(): Promise<PipelineOutput | undefined> {
    const step = await this.#outputs.take();
    if (step.done === true) return undefined;
    if (step.value.error !== undefined && this.#parts.errors === 'throw') throw step.value.error;
    return step.value;
  }

  /** Leaving the loop does not close the session: another loop goes on where this one stopped. */
  async *[Symbol.asyncIterator](): AsyncGenerator<PipelineOutput, void, undefined> {
    for (let output = await this.receive(); output !== undefined; output = await this.receive()) yield output;
  }

  /** The published methods of a node. @throws PipelineError `NODE_UNKNOWN` */
  node(id: string): NodeProxy {
    return this.control().node(id);
  }

  /** A client of the control bus, the same one for the same name. @default 'session' */
  control(attachId = 'session'): ControlSession {
    const control = this.#controls.get(attachId) ?? new ControlSession(this.#controlled(), attachId);
    this.#controls.set(attachId, control);
    return control;
  }

  /** Listens to what happens beside the outputs; returns a function that stops listening. */
  on<Name extends keyof SessionEvents>(name: Name, listener: (event: SessionEvents[Name]) => void): () => void {
    return this.#parts.events.on(name, listener);
  }

  /** Figures of every node, by id. */
  stats(): Readonly<Record<string, NodeMetrics>> {
    return Object.fromEntries(this.#router.runtimes.map((runtime) => [runtime.id, runtime.metrics]));
  }

  /** Settles when everything has come out after `inputComplete()`, or the session is closed. */
  finished(): Promise<void> {
    return this.#finished;
  }

  /** Ends the session within five seconds, whatever its nodes do. What has not come out is lost. */
  close(): Promise<readonly NodeExit[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The host's side: what a node tells outside of any answer and the pipeline has to act on. */
  act(node: string, event: WorkerEvent): void {
    if (event.type === 'ended') this.#router.runtime(node).markEnded(event['reason']);
    const { target, port, payload } = event;
    if (event.type !== 'publish' || typeof target !== 'string' || typeof port !== 'string') return;
    if (this.#parts.graph.feeds.has(target)) {
      this.#publish({ text: `${target}.in.${port}`, node: target, port }, { type: 'json', value: payload });
    } else {
      const message = `Node '${node}' published to '${target}.in.${port}', and there is no node '${target}'`;
      this.#parts.events.warn(message, node);
    }
  }

  async #close(): Promise<readonly NodeExit[]> {
    this.#state = 'closing';
    this.#outputs.discard();
    const exits: NodeExit[] = [];
    const ends = this.#router.runtimes.map(async (runtime) => {
      exits.push({ node: runtime.id, exit: await runtime.close() });
    });
    await within(Promise.allSettled(ends), CLOSE_TIMEOUT_MS);
    this.#parts.bus.close();
    this.#state = 'closed';
    this.#parts.events.emit('close', { id: this.id });
    return exits;
  }

  #hooks(): Omit<RuntimeHooks, 'emit'> {
    const { events, bus, errors } = this.#parts;
    return {
      fail: (node, failure) => {
        events.emit('error', { node, ...failure });
        const { turn, error } = failure;
        return errors === 'silent' ? true : this.#outputs.push({ node, turn, error, kind: 'error' });
      },
      turnStarted: (node, turn) => {
        bus.tell(TIMELINE_NODE, () => ({ node, turn, event: 'start', ts_ms: Date.now() }));
      },
      turnEnded: (node, facts) => {
        const { turn, outputs, durationMs, failed } = facts;
        events.emit('turn', { node, ...facts });
        bus.tell(TIMELINE_NODE, () => ({ node, turn, event: 'end', ts_ms: Date.now() }));
        bus.tell(PERFORMANCE_NODE, () => ({ node, turn, outputs, duration_ms: durationMs, failed }));
      },
      ended: (node, end) => events.emit('node-ended', { node, ...end }),
    };
  }

  /** Never blocks: a message starts beside whatever runs, a value goes on the queue beyond its capacity. */
  #publish({ text, node, port }: Pick<BusAddress, 'text' | 'node' | 'port'>, data: RuntimeData): void {
    this.#parts.bus.countPublished(text);
    const runtime = this.#router.runtime(node);
    if (port !== undefined) void runtime.message(port, payloadOf(data));
    else if (!runtime.offer(data)) {
      this.#parts.events.warn(`Node '${node}' takes no more inputs, a publish to '${text}' was dropped`, node);
    }
  }

  #controlled(): ControlledSession {
    return {
      id: this.id,
      bus: this.#parts.bus,
      isClosed: () => this.#state === 'closing' || this.#state === 'closed',
      runtime: (node) => {
        this.#parts.bus.checkNode(node);
        return this.#router.runtime(node);
      },
      publish: (address, data) => this.#publish(address, data),
    };
  }
}

function inputClosed(id: string): CallError {
  return new CallError(
    'HOST_CLOSED',
    `Input channel closed: session '${id}' takes no input after inputComplete() or close()`,
  );
}

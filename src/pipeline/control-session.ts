/** A client of a session's control bus: taps, publishes, intercepts, node states and remote calls. */
import { parseRuntimeData } from '../runtime-codec.ts';
import type { RuntimeData } from '../runtime-data.ts';
import { type BusAddress, parseAddress } from './bus-address.ts';
import { SessionNotFoundError } from './bus-errors.ts';
import type { ControlBus } from './control-bus.ts';
import { CANCEL_SUFFIX } from './envelope.ts';
import type { InterceptSession } from './intercept.ts';
import type { NodeState } from './node-metrics.ts';
import { nodeProxy, type NodeProxy } from './node-proxy.ts';
import type { NodeRuntime } from './node-runtime.ts';
import { RpcChannel } from './rpc-channel.ts';
import type { Subscription } from './subscription.ts';

/** What a control client needs of its session. */
export interface ControlledSession {
  readonly id: string;
  isClosed(): boolean;
  readonly bus: ControlBus;
  /** @throws PipelineError `NODE_UNKNOWN` */
  runtime(node: string): NodeRuntime;
  /** Puts data on a node's queue, or a message on one of its ports; never blocks. */
  publish(address: BusAddress, data: RuntimeData): void;
}

/** One client of the bus. Detaching is implicit; the session's end closes what it holds. */
export class ControlSession {
  readonly attachId: string;
  readonly #session: ControlledSession;
  readonly #subscriptions = new Set<Subscription>();
  readonly #intercepts = new Set<InterceptSession>();
  readonly #proxies = new Map<string, NodeProxy>();
  #calls = 0;

  constructor(session: ControlledSession, attachId: string) {
    this.#session = session;
    this.attachId = attachId;
  }

  get sessionId(): string {
    return this.#session.id;
  }

  /**
   * Listens at `<node>.out[.port]`.
   *
   * @throws ControlAddressError `PORT_UNKNOWN`, PipelineError `NODE_UNKNOWN`, SessionNotFoundError `HOST_CLOSED`
   */
  subscribe(address: string): Subscription {
    this.#checkOpen();
    const subscription = this.#session.bus.subscribe(address);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Speaks to `<node>.in[.port]`: data for its queue, a message for a port. Never waits for the node.
   *
   * @throws ControlAddressError `PORT_UNKNOWN`, PipelineError `NODE_UNKNOWN`, SessionNotFoundError `HOST_CLOSED`
   */
  publish(address: string, data: unknown): void {
    this.#checkOpen();
    const parsed = parseAddress(address, 'in');
    this.#session.bus.checkNode(parsed.node);
    this.#session.publish(parsed, parseRuntimeData(data));
  }

  /** Decides about values at an address, each within `deadlineMs` (50 unless given). */
  intercept(address: string, deadlineMs?: number): InterceptSession {
    this.#checkOpen();
    const intercept = this.#session.bus.intercept(address, deadlineMs);
    this.#intercepts.add(intercept);
    return intercept;
  }

  /** R88: from the next input on. @throws PipelineError `NODE_UNKNOWN` */
  setNodeState(node: string, state: NodeState): void {
    this.#checkOpen();
    this.#session.runtime(node).state = state;
  }

  clearNodeState(node: string): void {
    this.setNodeState(node, 'enabled');
  }

  /** The published methods of a node. @throws PipelineError `NODE_UNKNOWN` */
  node(id: string): NodeProxy {
    const known = this.#proxies.get(id);
    if (known !== undefined) return known;
    const runtime = this.#session.runtime(id);
    const proxy = nodeProxy(
      new RpcChannel(runtime, {
        nextCorrId: () => `${this.attachId}:${(this.#calls += 1)}`,
        published: (port) => this.#session.bus.countPublished(`${id}.in.${port}`),
        replied: (payload) => this.#session.bus.tap(`${id}.out.__reply__`, { type: 'json', value: payload }),
        cancelled: (method) => this.#session.bus.countPublished(`${id}.in.${method}${CANCEL_SUFFIX}`),
      }),
    );
    this.#proxies.set(id, proxy);
    return proxy;
  }

  /** Ends a node's running turn; resolves when the next one can begin (R72). @throws PipelineError `NODE_UNKNOWN` */
  async cancelTurn(node: string): Promise<void> {
    await this.#session.runtime(node).cancelTurn();
  }

  /** Resolves when nothing waits or runs in a node. @throws PipelineError `NODE_UNKNOWN` */
  async settled(node: string): Promise<void> {
    await this.#session.runtime(node).settled();
  }

  /** How many publishes an address has seen, whoever made them. */
  published(address: string): number {
    return this.#session.bus.published(address);
  }

  /** Idempotent: closes this client's taps and intercepts, not the session. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    for (const intercept of this.#intercepts) intercept.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (!this.#session.isClosed()) return;
    throw new SessionNotFoundError(`Session '${this.sessionId}' is closed, so its control bus is gone`);
  }
}

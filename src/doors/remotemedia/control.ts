/** The control package of the original, over our control bus (spec 8.3). */
import { PipelineSession } from '../../pipeline/pipeline-session.ts';
import { SessionNotFoundError } from '../../pipeline/bus-errors.ts';
import type { ControlSession } from '../../pipeline/control-session.ts';
import type { DeferredCall, RpcCallOptions } from '../../pipeline/deferred-call.ts';
import type { InterceptDecision as Decision, InterceptSession as Intercept } from '../../pipeline/intercept.ts';
import type { NodeState as State } from '../../pipeline/node-metrics.ts';
import type { NodeProxy as Proxied } from '../../pipeline/node-proxy.ts';
import type { Subscription as Tap } from '../../pipeline/subscription.ts';
import { Data } from './bus-data.ts';

/** Node states by the original's numbers (R88). */
export const NodeState = { ENABLED: 1, BYPASS: 2, DISABLED: 3 } as const;
export type NodeState = (typeof NodeState)[keyof typeof NodeState];

/** Decisions by the original's numbers (R89). */
export const InterceptDecision = { PASS: 0, REPLACE: 1, DROP: 2 } as const;
export type InterceptDecision = (typeof InterceptDecision)[keyof typeof InterceptDecision];

const STATES: Readonly<Record<NodeState, State>> = { 1: 'enabled', 2: 'bypass', 3: 'disabled' };
const DECISIONS: Readonly<Record<InterceptDecision, Decision>> = { 0: 'pass', 1: 'replace', 2: 'drop' };

/** Options of one remote call; `timeout` is in milliseconds. */
export interface CallOptions extends Omit<RpcCallOptions, 'timeoutMs'> {
  readonly timeout?: number;
}

/** A published method of a node. */
export interface NodeMethod {
  (...args: readonly unknown[]): DeferredCall;
  options(options: CallOptions): (...args: readonly unknown[]) => DeferredCall;
  invoke(
    call: CallOptions & { readonly args?: readonly unknown[]; readonly kwargs?: Readonly<Record<string, unknown>> },
  ): DeferredCall;
}

/** Any property is a method of the node. */
export type NodeProxy = Readonly<Record<string, NodeMethod>>;

/** What `attachInproc` gives. Any property that is no member is the proxy of the node of that id. */
export type AttachedSession = AttachedMembers & Readonly<Record<string, NodeProxy>>;

/** Anything that stands for a session. */
export interface Attachable {
  readonly session: PipelineSession;
  assertOpen(): void;
}

/**
 * Attaches to a session of this process.
 *
 * @throws SessionNotFoundError `HOST_CLOSED` when the session is closed
 */
export function attachInproc(
  target: PipelineSession | Attachable,
  { attachId = 'node-inproc' }: { readonly attachId?: string } = {},
): AttachedSession {
  const session = target instanceof PipelineSession ? target : target.session;
  if (session.state === 'closing' || session.state === 'closed') {
    throw new SessionNotFoundError(`Session '${session.id}' is closed`);
  }
  return new Proxy(new AttachedMembers(session.control(attachId)), {
    get: (members, name) => {
      // `then` would make an awaited attachment a call of a node of that name.
      if (typeof name !== 'string' || name === 'then') return undefined;
      if (!(name in members)) return members.node(name);
      const member: unknown = Reflect.get(members, name);
      return typeof member === 'function' ? (member.bind(members) as unknown) : member;
    },
  }) as AttachedSession;
}

/** The members of an attached session. */
export class AttachedMembers {
  readonly #control: ControlSession;

  constructor(control: ControlSession) {
    this.#control = control;
  }

  get sessionId(): string {
    return this.#control.sessionId;
  }

  get attachId(): string {
    return this.#control.attachId;
  }

  /** `<node>.out[.port]`. @throws ControlAddressError */
  async subscribe(address: string): Promise<Subscription> {
    return new Subscription(this.#control.subscribe(address));
  }

  /** `<node>.in[.port]`. @throws ControlAddressError */
  async publish(address: string, data: Data): Promise<void> {
    this.#control.publish(address, data.value);
  }

  async setNodeState(node: string, state: NodeState): Promise<void> {
    this.#control.setNodeState(node, STATES[state]);
  }

  async clearNodeState(node: string): Promise<void> {
    this.#control.clearNodeState(node);
  }

  /** Decides about values within `deadlineMs` each, 50 unless given. */
  async intercept(address: string, deadlineMs?: number): Promise<InterceptSession> {
    return new InterceptSession(this.#control.intercept(address, deadlineMs));
  }

  node(id: string): NodeProxy {
    return nodeProxy(this.#control.node(id));
  }

  async close(): Promise<void> {
    this.#control.close();
  }
}

/** A tap. */
export class Subscription implements AsyncIterable<Data | null> {
  readonly #tap: Tap;

  constructor(tap: Tap) {
    this.#tap = tap;
  }

  get address(): string {
    return this.#tap.address;
  }

  /** The next value; null where values were lost because the reader lagged (R90). @throws SessionNotFoundError when closed */
  async recv(): Promise<Data | null> {
    const data = await this.#tap.recv();
    return data === null ? null : new Data(data);
  }

  async close(): Promise<void> {
    this.#tap.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Data | null, void, undefined> {
    for await (const data of this.#tap) yield data === null ? null : new Data(data);
  }
}

/** An intercept. */
export class InterceptSession {
  readonly #intercept: Intercept;

  constructor(intercept: Intercept) {
    this.#intercept = intercept;
  }

  /** The next value to decide about; null when closed. */
  async recv(): Promise<{ readonly correlationId: number; readonly data: Data } | null> {
    const request = await this.#intercept.recv();
    return request === undefined ? null : { correlationId: request.correlationId, data: new Data(request.data) };
  }

  async complete(correlationId: number, decision: InterceptDecision, data?: Data): Promise<void> {
    this.#intercept.complete(correlationId, DECISIONS[decision], data?.value);
  }

  async close(): Promise<void> {
    this.#intercept.close();
  }
}

function nodeProxy(node: Proxied): NodeProxy {
  return new Proxy<NodeProxy>(Object.freeze({}), {
    get: (_, name) => (typeof name === 'string' ? nodeMethod(node[name]) : undefined),
  });
}

function nodeMethod(method: Proxied[string] | undefined): NodeMethod | undefined {
  if (method === undefined) return undefined;
  const ours = ({ timeout, ...options }: CallOptions): RpcCallOptions => ({ ...options, timeoutMs: timeout });
  return Object.assign((...args: readonly unknown[]) => method(...args), {
    options: (options: CallOptions) => method.options(ours(options)),
    invoke: (call: Parameters<NodeMethod['invoke']>[0]) => {
      const { args, kwargs, ...options } = call;
      return method.invoke({ ...ours(options), ...(args && { args }), ...(kwargs && { kwargs }) });
    },
  });
}

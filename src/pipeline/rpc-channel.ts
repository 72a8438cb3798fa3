/** How remote calls of one control client reach one node: each call is a stream of its own, so no reply can be lost or mixed up. */
import { CallError } from '../errors.ts';
import type { RpcReply, RpcRequest, RpcTransport } from './deferred-call.ts';
import { META_PORT } from './envelope.ts';
import type { NodeRuntime } from './node-runtime.ts';
import type { RpcMode } from './pipeline-node.ts';

/** Time for a node to say what its methods are, in milliseconds; then it counts as having said nothing. */
const META_TIMEOUT_MS = 5_000;

/** What a channel needs of its client and its bus. */
export interface RpcHooks {
  readonly nextCorrId: () => string;
  /** A call goes out to a port of the node. */
  readonly published: (port: string) => void;
  /** A reply came, for those who listen on the reply port. */
  readonly replied: (payload: Readonly<Record<string, unknown>>) => void;
  readonly cancelled: (method: string, corrId: string) => void;
}

/** Calls of one client to one node. */
export class RpcChannel implements RpcTransport {
  readonly node: string;
  readonly #runtime: NodeRuntime;
  readonly #hooks: RpcHooks;
  #meta: Promise<Readonly<Record<string, RpcMode>>> | undefined;

  constructor(runtime: NodeRuntime, hooks: RpcHooks) {
    this.node = runtime.id;
    this.#runtime = runtime;
    this.#hooks = hooks;
  }

  nextCorrId(): string {
    return this.#hooks.nextCorrId();
  }

  /** Asked once per node and client. */
  async modeOf(method: string): Promise<RpcMode> {
    this.#meta ??= this.#askMeta();
    const modes = await this.#meta;
    return (Object.hasOwn(modes, method) ? modes[method] : undefined) ?? 'reply';
  }

  async *publish(request: RpcRequest, signal: AbortSignal): AsyncGenerator<RpcReply> {
    const { node } = this.#runtime;
    if (node.rpc === undefined) {
      throw new CallError(
        'OPERATION_UNKNOWN',
        `Node '${this.node}' publishes no methods, so '${request.method}' cannot be called`,
      );
    }
    this.#hooks.published(request.method);
    const { method, args, kwargs, corrId, mode } = request;
    let values = 0;
    for await (const value of node.rpc(method, { args, kwargs }, { mode, corrId, signal })) {
      values += 1;
      const reply = parseReply(value);
      this.#hooks.replied({ corr_id: corrId, ...reply });
      yield reply;
    }
    if (mode === 'reply' && values === 0) yield { kind: 'value', data: undefined };
    if (mode === 'stream') {
      this.#hooks.replied({ corr_id: corrId, kind: 'end' });
      yield { kind: 'end' };
    }
  }

  cancel(method: string, corrId: string): void {
    this.#hooks.cancelled(method, corrId);
  }

  async #askMeta(): Promise<Readonly<Record<string, RpcMode>>> {
    const { node } = this.#runtime;
    if (node.rpcMeta === undefined) return {};
    this.#hooks.published(META_PORT);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Readonly<Record<string, RpcMode>>>((resolve) => {
      timer = setTimeout(() => resolve({}), META_TIMEOUT_MS);
    });
    try {
      return await Promise.race([node.rpcMeta(), late]);
    } catch {
      // What is wrong with the node will be said by the call itself.
      return {};
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseReply(value: unknown): RpcReply {
  const kind: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  const data: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'data') : undefined;
  if (kind === 'error') return { kind, data: String(data) };
  if (kind === 'end') return { kind };
  return { kind: 'value', data: kind === 'value' ? data : value };
}

/** A node of a running pipeline as an object whose methods are the author's published methods (spec 8.3). */
import { DeferredCall, type RpcCallOptions, type RpcTransport } from './deferred-call.ts';

/** A published method: calling it makes a call that can be awaited or iterated. */
export interface RemoteMethod {
  (...args: readonly unknown[]): DeferredCall;
  /** The same method with options. */
  options(options: RpcCallOptions): (...args: readonly unknown[]) => DeferredCall;
  /** With named arguments too. */
  invoke(call: RpcInvocation): DeferredCall;
}

/** A call with everything that it can have. */
export interface RpcInvocation extends RpcCallOptions {
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

/** Any property is a method; `then` is none, so that a proxy can be awaited like any object. */
export type NodeProxy = Readonly<Record<string, RemoteMethod>>;

/** Makes the proxy of one node. */
export function nodeProxy(transport: RpcTransport): NodeProxy {
  const methods = new Map<string, RemoteMethod>();
  return new Proxy<NodeProxy>(Object.freeze({}), {
    get: (_, name) => {
      if (typeof name !== 'string' || name === 'then') return undefined;
      const method = methods.get(name) ?? remoteMethod(transport, name);
      methods.set(name, method);
      return method;
    },
  });
}

function remoteMethod(transport: RpcTransport, name: string): RemoteMethod {
  const invoke = ({ args = [], kwargs = {}, ...options }: RpcInvocation): DeferredCall =>
    new DeferredCall(transport, name, { args, kwargs, options });
  return Object.assign((...args: readonly unknown[]) => invoke({ args }), {
    options:
      (options: RpcCallOptions) =>
      (...args: readonly unknown[]): DeferredCall =>
        invoke({ ...options, args }),
    invoke,
  });
}

import type { CallOptions } from './call-options.ts';

/** A typed proxy: every operation as a method, and `with` for call options. */
export type PluginClient<T extends object> = T & { with(options: CallOptions): PluginClient<T> };

/** What the proxy calls. */
interface Callable {
  call(operation: string, ...args: readonly unknown[]): Promise<unknown>;
  stream(operation: string, ...args: readonly unknown[]): AsyncIterable<unknown>;
  readonly operations: readonly { readonly name: string; readonly kind: string }[] | undefined;
}

/**
 * Makes a proxy whose methods call operations. Streaming operations give an async iterable.
 * It answers `undefined` to `then`, so that awaiting a client does not call the plugin.
 */
export function pluginClient<T extends object>(plugin: (options?: CallOptions) => Callable): PluginClient<T> {
  const target = plugin();
  const handler: ProxyHandler<Record<string, unknown>> = {
    get(methods, name) {
      if (typeof name === 'symbol' || name === 'then') return undefined;
      if (name === 'with') return (options: CallOptions) => pluginClient<T>((more) => plugin({ ...options, ...more }));
      methods[name] ??= (...args: readonly unknown[]) => invoke(target, name, args);
      return methods[name];
    },
  };
  return new Proxy<Record<string, unknown>>({}, handler) as PluginClient<T>;
}

function invoke(plugin: Callable, operation: string, args: readonly unknown[]): unknown {
  const kind = plugin.operations?.find((each) => each.name === operation)?.kind;
  if (kind === 'server-stream' || kind === 'bidi') return plugin.stream(operation, ...args);
  return plugin.call(operation, ...args);
}

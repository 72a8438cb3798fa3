import { CallError, type ExitReport } from '../errors.ts';
import type { BatchRow } from '../formats/format.ts';
import { didYouMean } from '../nearest-name.ts';
import type { JsonValue, Operation, PluginSpec } from '../plugin-spec.ts';
import { parseBatchItems, runBatch } from './batch-items.ts';
import { parseCallOptions, type CallOptions } from './call-options.ts';
import { callNode, type NodeCall } from './node-call.ts';
import { pluginClient, type PluginClient } from './client.ts';
import type { NodeSession } from './node-session.ts';
import type { PluginBackend, PluginStats } from './plugin-backend.ts';
import type { Provenance } from './provenance.ts';

/** Every item of a node's batch has a process of its own. */
const NODES_AT_ONCE = 3;

/**
 * A loaded plugin. Made by `host.load`.
 *
 * @typeParam Session What `open` gives: the host's pipeline session.
 */
export class Plugin<Session extends NodeSession = NodeSession> {
  readonly #backend: PluginBackend<Session>;
  readonly #options: CallOptions;

  constructor(backend: PluginBackend<Session>, options: CallOptions = {}) {
    this.#backend = backend;
    this.#options = options;
  }

  /** What the plugin calls itself. */
  get id(): string {
    return this.#backend.spec.id;
  }

  /** The neutral description that its manifest gave. */
  get spec(): PluginSpec {
    return this.#backend.spec;
  }

  /** Where it is from and what is known about its makers. */
  get provenance(): Provenance {
    return this.#backend.provenance;
  }

  /** What it can do; undefined until the first use when it was loaded with `start: 'lazy'` and only its code can tell. */
  get operations(): readonly Operation[] | undefined {
    return this.#backend.operations;
  }

  /** What the plugin's Python half reports beside its operations, for example the interface hash. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#backend.facts;
  }

  /** `idle`, `starting`, `ready`, `crashed`, `refused` (it crashed too often) or `closed`. */
  get state(): string {
    return this.#backend.state;
  }

  /** Process id of its worker, or undefined when none is running. */
  get pid(): number | undefined {
    return this.#backend.pid;
  }

  /**
   * Calls an operation. Arguments are positional, as in Python; an async iterable among them is a client stream.
   * A node is run for one turn in a fresh instance and answers with the list of its outputs.
   *
   * @throws PluginError when the plugin raised or answered with an error of its own
   * @throws CallError `OPERATION_UNKNOWN`, `CALL_TIMEOUT`, `PLUGIN_EXITED`, `ARGUMENT_INVALID`, `RESULT_INVALID`, …
   * @throws the signal's reason, untouched, when the caller aborts
   */
  call(operation: string, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#kindOf(operation) === 'node') return this.#callNode(operation, args);
    return this.#backend.call(operation, args, this.#options);
  }

  /**
   * The items of a streaming operation. One consumer; leaving the loop cancels the generator.
   * A node takes an iterable of inputs, or one input.
   */
  stream(operation: string, ...args: readonly unknown[]): AsyncIterable<unknown> {
    if (this.#kindOf(operation) === 'node') return this.#runNode(operation, args[0], 'first item');
    return this.#backend.stream(operation, args, this.#options);
  }

  /**
   * Calls one operation for many inputs: a row per item, in input order, `{ id, result }` or `{ id, error }`.
   * An item is an input, or `{ id, input }`; ids default to the position.
   */
  async batch(operation: string, items: readonly unknown[]): Promise<readonly BatchRow[]> {
    if (this.#kindOf(operation) !== 'node') return this.#backend.batch(operation, items, this.#options);
    const { concurrency = NODES_AT_ONCE, onRow } = this.#options;
    return runBatch(parseBatchItems(items), ({ input }) => this.#callNode(operation, [input]), { concurrency, onRow });
  }

  /** The same plugin with other call options; those given before stay unless named again. */
  with(options: CallOptions): Plugin<Session> {
    return new Plugin(this.#backend, parseCallOptions({ ...this.#options, ...options }));
  }

  /** Another instance with its own configuration, in a process of its own. */
  async configure(config: JsonValue): Promise<Plugin<Session>> {
    return new Plugin(await this.#backend.configure(config), this.#options);
  }

  /** One node as a session of its own. */
  open(node: string, params?: Readonly<Record<string, unknown>>): Promise<Session> {
    return this.#backend.open(node, params ?? this.#options.params, this.#options.signal);
  }

  /** The Python stacks of a busy worker, without stopping it. */
  stacks(): Promise<string> {
    return this.#backend.stacks();
  }

  /**
   * Starts the plugin anew from its present files, then drains the old process.
   *
   * @throws CallError `RELOAD_REFUSED` when an operation was lost or changed its kind; the old process stays
   */
  reload(): Promise<void> {
    return this.#backend.reload();
  }

  /** A proxy whose methods are the operations: `client.greet('World')`. */
  client<T extends object = Record<string, (...args: readonly never[]) => unknown>>(): PluginClient<T> {
    return pluginClient<T>((options) => (options === undefined ? this : this.with(options)));
  }

  /** How it has been used so far. */
  stats(): PluginStats {
    return this.#backend.stats();
  }

  /** Ends the plugin's processes: idempotent, bounded. The report tells how its last process ended, where it had one. */
  close(): Promise<ExitReport | undefined> {
    return this.#backend.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #kindOf(operation: string): Operation['kind'] | undefined {
    return this.operations?.find((each) => each.name === operation)?.kind;
  }

  async #callNode(node: string, args: readonly unknown[]): Promise<unknown> {
    if (args.length !== 1) {
      throw new CallError('ARGUMENT_INVALID', `The node '${node}' takes exactly one input; got ${args.length}`, {
        plugin: this.id,
        operation: node,
        hint: didYouMean(node, []) ?? `Use plugin.open('${node}') to send several inputs.`,
      });
    }
    const outputs: unknown[] = [];
    for await (const output of this.#runNode(node, [args[0]], 'total')) outputs.push(output);
    return outputs;
  }

  #runNode(node: string, inputs: unknown, deadline: NodeCall['deadline']): AsyncGenerator {
    const { params } = this.#options;
    const open = (signal: AbortSignal): Promise<Session> => this.#backend.open(node, params, signal);
    return callNode({ plugin: this.id, node, inputs, options: this.#options, deadline, open });
  }
}

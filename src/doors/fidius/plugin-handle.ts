import type { Plugin } from '../../index.ts';
import type { InterfaceDescriptor, MethodDescriptor } from '../../formats/fidius/descriptor.ts';
import { markedJson, markJson } from '../../formats/fidius/json-text.ts';
import { asCallError } from './as-fidius-error.ts';
import { CallError } from './fidius-error.ts';

/** What `info()` says of a loaded package: name and version from its manifest, the rest from the descriptor. */
export interface PluginInfo {
  readonly name: string;
  readonly interfaceName: string;
  /** `0x` and 16 digits. */
  readonly interfaceHash: string;
  readonly interfaceVersion: number;
  readonly runtime: 'Python' | 'Wasm';
}

/** A loaded package. Methods are named, or counted from 0 in the descriptor's order. */
export class PluginHandle {
  readonly #plugin: Plugin;
  readonly #descriptor: InterfaceDescriptor;
  readonly #info: PluginInfo;

  constructor(plugin: Plugin, descriptor: InterfaceDescriptor, info: PluginInfo) {
    this.#plugin = plugin;
    this.#descriptor = descriptor;
    this.#info = info;
  }

  /** The plugin behind the handle: deadlines, cancellation, reload and reports are there. */
  get plugin(): Plugin {
    return this.#plugin;
  }

  info(): PluginInfo {
    return this.#info;
  }

  /** Always false for Python packages, as in the original; `plugin.operations` says what is there. */
  hasCapability(_bit: number): boolean {
    return false;
  }

  /** @throws CallError */
  async callMethod(method: number | string, ...args: readonly unknown[]): Promise<unknown> {
    const { name } = this.#method(method, false);
    return rejectAsCallError(this.#plugin.call(name, ...args));
  }

  /**
   * A typed call in JSON: a list is the positional arguments, `null` is none, anything else is one.
   *
   * @returns JSON text of the result, as bytes
   * @throws CallError
   */
  async callTypedJson(method: number | string, json: Uint8Array | string): Promise<Uint8Array> {
    const { name } = this.#method(method, false);
    return jsonBytes(await rejectAsCallError(this.#plugin.call(name, markJson(textOf(json)))));
  }

  /** A raw call: bytes in, bytes out. @throws CallError */
  async callRaw(method: number | string, bytes: Uint8Array): Promise<Uint8Array> {
    const { name } = this.#method(method, true);
    const result = await rejectAsCallError(this.#plugin.call(name, bytes));
    if (result instanceof Uint8Array) return result;
    throw new CallError('Serialization', 'serialization error: raw method must return bytes', {
      code: 'RESULT_INVALID',
    });
  }

  /** Items of a server stream. @throws CallError from the iteration */
  callStreaming(method: number | string, ...args: readonly unknown[]): AsyncIterable<unknown> {
    const { name } = this.#method(method, false);
    return callErrors(this.#plugin.stream(name, ...args));
  }

  /** Items of a server stream, each as JSON text in bytes. */
  callStreamingJson(method: number | string, json: Uint8Array | string): AsyncIterable<Uint8Array> {
    const { name } = this.#method(method, false);
    return jsonItems(callErrors(this.#plugin.stream(name, markJson(textOf(json)))));
  }

  /** Feeds a stream, which the method gets as its first argument. @throws CallError */
  async callClientStreaming(
    method: number | string,
    items: AsyncIterable<unknown> | Iterable<unknown>,
    ...args: readonly unknown[]
  ): Promise<unknown> {
    const { name } = this.#method(method, false);
    return rejectAsCallError(this.#plugin.call(name, asyncItems(items), ...args));
  }

  /** The same in JSON: items and arguments are JSON texts. @throws CallError */
  async callClientStreamingJson(
    method: number | string,
    items: AsyncIterable<string> | Iterable<string>,
    json: Uint8Array | string,
  ): Promise<Uint8Array> {
    const { name } = this.#method(method, false);
    const call = this.#plugin.call(name, markedItems(items), markJson(textOf(json)));
    return jsonBytes(await rejectAsCallError(call));
  }

  /** Feeds a stream and takes one. @throws CallError from the iteration */
  callBidiStreaming(
    method: number | string,
    items: AsyncIterable<unknown> | Iterable<unknown>,
    ...args: readonly unknown[]
  ): AsyncIterable<unknown> {
    const { name } = this.#method(method, false);
    return callErrors(this.#plugin.stream(name, asyncItems(items), ...args));
  }

  /** The same in JSON: items and arguments are JSON texts, and so are the items that come back. */
  callBidiStreamingJson(
    method: number | string,
    items: AsyncIterable<string> | Iterable<string>,
    json: Uint8Array | string,
  ): AsyncIterable<Uint8Array> {
    const { name } = this.#method(method, false);
    return jsonItems(callErrors(this.#plugin.stream(name, markedItems(items), markJson(textOf(json)))));
  }

  /** Ends the plugin's process. Idempotent and bounded. */
  async close(): Promise<void> {
    await this.#plugin.close();
  }

  #method(method: number | string, isRaw: boolean): MethodDescriptor {
    const { methods } = this.#descriptor;
    const found = typeof method === 'number' ? methods[method] : methods.find(({ name }) => name === method);
    if (found === undefined) {
      const index = typeof method === 'number' ? String(method) : `'${method}'`;
      const text = `invalid method index ${index} (plugin has ${methods.length} method(s))`;
      throw new CallError('InvalidMethodIndex', text, { code: 'OPERATION_UNKNOWN' });
    }
    const declared = found.wireRaw === true;
    if (declared !== isRaw) {
      const modes = `declared wire_raw=${declared}, dispatcher used wire_raw=${isRaw}`;
      throw new CallError('WireModeMismatch', `wire-mode mismatch on method '${found.name}': ${modes}`, {
        code: 'WIRE_MODE_MISMATCH',
      });
    }
    return found;
  }
}

function textOf(json: Uint8Array | string): string {
  return typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json);
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(markedJson(value) ?? 'null');
}

async function rejectAsCallError<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    throw asCallError(error);
  }
}

async function* callErrors(items: AsyncIterable<unknown>): AsyncGenerator {
  try {
    yield* items;
  } catch (error) {
    throw asCallError(error);
  }
}

async function* jsonItems(items: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const item of items) yield jsonBytes(item);
}

async function* markedItems(items: AsyncIterable<string> | Iterable<string>): AsyncGenerator {
  for await (const item of items) yield markJson(item);
}

async function* asyncItems(items: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator {
  yield* items;
}

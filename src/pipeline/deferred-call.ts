/**
 * A remote call that has not been made yet: awaiting it asks for one reply, iterating it for a stream (spec 8.3).
 *
 * Invariants: one shot, whichever comes first; nothing is published before it is awaited or iterated; leaving a stream
 * early publishes exactly one cancel; leaving it before the first value publishes nothing.
 */
import { CallError, PluginError } from '../errors.ts';
import { RpcError, RpcTimeoutError } from './bus-errors.ts';
import type { RpcArguments, RpcMode } from './pipeline-node.ts';

/** Time for the reply of a method that names none, in milliseconds. */
export const REPLY_TIMEOUT_MS = 30_000;

/** Options of one remote call. */
export interface RpcCallOptions {
  /** `ff`, `reply` or `stream`. @default as the method is declared */
  readonly mode?: RpcMode | undefined;
  /** Milliseconds until the reply; a stream has no deadline unless one is given, which is until its first value. @default 30000 */
  readonly timeoutMs?: number | undefined;
  /** Name of this call on the bus. @default `<attachId>:<n>` */
  readonly corrId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One call, as a transport sees it. */
export interface RpcRequest extends RpcArguments {
  readonly method: string;
  /** Null: no reply is wanted. */
  readonly corrId: string | null;
  readonly mode: RpcMode;
}

/** One answer of a node. */
export type RpcReply =
  | { readonly kind: 'value'; readonly data: unknown }
  | { readonly kind: 'error'; readonly data: string }
  | { readonly kind: 'end' };

/** How calls of one node travel. */
export interface RpcTransport {
  readonly node: string;
  nextCorrId(): string;
  /** How a method answers; `reply` where the node does not say. */
  modeOf(method: string): Promise<RpcMode>;
  /** Publishes the call. Leaving the iteration early must free what it holds and publishes nothing by itself. */
  publish(request: RpcRequest, signal: AbortSignal): AsyncIterable<RpcReply>;
  /** Tells the node that a stream is no longer wanted. */
  cancel(method: string, corrId: string): void;
}

/** A remote call. */
export class DeferredCall implements PromiseLike<unknown>, AsyncIterable<unknown> {
  readonly #transport: RpcTransport;
  readonly #method: string;
  readonly #args: RpcArguments;
  readonly #options: RpcCallOptions;
  #isUsed = false;
  #reply: Promise<unknown> | undefined;

  constructor(transport: RpcTransport, method: string, call: RpcArguments & { readonly options: RpcCallOptions }) {
    this.#transport = transport;
    this.#method = method;
    this.#args = { args: call.args, kwargs: call.kwargs };
    this.#options = call.options;
  }

  /**
   * @throws RpcError `PLUGIN_RAISED` with the author's text; `WIRE_MODE_MISMATCH` for a method that streams
   * @throws RpcTimeoutError `CALL_TIMEOUT`
   */
  then<A = unknown, B = never>(
    onReply?: ((value: unknown) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (this.#reply === undefined) {
      this.#use();
      this.#reply = this.#unary();
    }
    return this.#reply.then(onReply, onError);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    this.#use();
    return this.#stream();
  }

  #use(): void {
    if (this.#isUsed) throw new RpcError(`The call of '${this.#method}' has been made already, each can be made once`);
    this.#isUsed = true;
  }

  async #unary(): Promise<unknown> {
    const { signal, timeoutMs = REPLY_TIMEOUT_MS } = this.#options;
    if (signal?.aborted === true) throw abortError(signal);
    const mode = this.#options.mode ?? (await this.#transport.modeOf(this.#method));
    if (mode === 'stream') {
      const message = `Method '${this.#method}' of node '${this.#transport.node}' streams, iterate its call instead of awaiting it`;
      throw new RpcError(message, {}, 'WIRE_MODE_MISMATCH');
    }
    if (mode === 'ff') {
      await this.#fire();
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(this.#timeout(timeoutMs)), timeoutMs);
    const onAbort = (): void => abort.abort(signal === undefined ? undefined : abortError(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#firstReply(abort.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Nobody waits for what a fire-and-forget call does; its errors are the node's events. */
  async #fire(): Promise<void> {
    const request: RpcRequest = { ...this.#args, method: this.#method, corrId: null, mode: 'ff' };
    const never = new AbortController();
    const replies = this.#transport.publish(request, never.signal)[Symbol.asyncIterator]();
    while ((await replies.next()).done !== true) continue;
  }

  async #firstReply(signal: AbortSignal): Promise<unknown> {
    let first: RpcReply | undefined;
    // A reply is the last thing of its call: going on to the end costs nothing and cancels nothing.
    for await (const reply of this.#replies('reply', signal)) {
      if (reply.kind === 'error') throw new RpcError(reply.data);
      if (first !== undefined) break;
      first = reply;
    }
    if (first !== undefined) return first.kind === 'value' ? first.data : undefined;
    throw new RpcError(`Node '${this.#transport.node}' gave no reply to '${this.#method}'`);
  }

  #replies(mode: RpcMode, signal: AbortSignal, corrId?: string): AsyncIterable<RpcReply> {
    const id = corrId ?? this.#options.corrId ?? this.#transport.nextCorrId();
    const request = { ...this.#args, method: this.#method, corrId: id, mode };
    return withErrors(this.#transport.publish(request, signal), signal);
  }

  async *#stream(): AsyncGenerator<unknown, undefined, undefined> {
    const { signal, timeoutMs } = this.#options;
    if (signal?.aborted === true) return undefined;
    const abort = new AbortController();
    const corrId = this.#options.corrId ?? this.#transport.nextCorrId();
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => abort.abort(this.#timeout(timeoutMs)), timeoutMs);
    const onAbort = (): void => abort.abort(QUIETLY);
    signal?.addEventListener('abort', onAbort, { once: true });
    let isOver = false;
    try {
      for await (const reply of this.#replies('stream', abort.signal, corrId)) {
        clearTimeout(timer);
        isOver = reply.kind !== 'value';
        if (reply.kind === 'error') throw new RpcError(reply.data);
        if (reply.kind === 'end') return undefined;
        yield reply.data;
        abort.signal.throwIfAborted();
      }
      isOver = true;
    } catch (error) {
      if (error !== QUIETLY) {
        isOver = isOver || !abort.signal.aborted;
        throw error;
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (!isOver) this.#transport.cancel(this.#method, corrId);
    }
    return undefined;
  }

  #timeout(timeoutMs: number): RpcTimeoutError {
    const message = `Node '${this.#transport.node}' did not reply to '${this.#method}' within ${timeoutMs} ms`;
    return new RpcTimeoutError(message, { operation: this.#method });
  }
}

/** The reason of a stream that its caller has aborted: the iteration ends, it does not throw. */
const QUIETLY = Symbol('stream aborted by its caller');

/** The author's exception, as the text that control clients know: the type, a colon, the message. */
async function* withErrors(replies: AsyncIterable<RpcReply>, signal: AbortSignal): AsyncGenerator<RpcReply> {
  try {
    yield* replies;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof CallError && error.code !== 'PLUGIN_EXITED' && !(error instanceof RpcError)) {
      const text = error instanceof PluginError ? rpcText(error) : error.message;
      throw new RpcError(text, { ...evidence(error), cause: error });
    }
    throw error;
  }
}

function rpcText(error: PluginError): string {
  return error.message.startsWith(`${error.pluginCode}: `) ? error.message : `${error.pluginCode}: ${error.message}`;
}

function evidence(error: CallError): {
  traceback?: string | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
} {
  return { traceback: error.traceback, details: error.details };
}

function abortError(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return new DOMException('The call was aborted', { name: 'AbortError', cause: reason });
}

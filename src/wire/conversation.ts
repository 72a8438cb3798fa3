/**
 * Frames as calls: one conversation with one runner. Knows messages; knows nothing of processes.
 *
 * 1. Whatever happens, every call settles: by its frame, by its caller's signal, or by `end`.
 * 2. An abandoned call stays pending, silently, until the runner settles it: its id and its worker are busy until then.
 * 3. The output is always read. What a slow consumer has not taken is bounded by the credit it gave.
 */
import { CallError, CharmerError, ProtocolError, StartError } from '../errors.ts';
import { STREAM_PLACE } from './data-object.ts';
import { defer, unlessAborted } from './deferred.ts';
import { Dumps } from './dumps.ts';
import { type Frame, FrameDecoder } from './frame-decoder.ts';
import { creditOf, payloadBytes, valueOf } from './frame-value.ts';
import { type FrameHead, FrameWriter } from './frame-writer.ts';
import { IncomingStream } from './incoming-stream.ts';
import * as m from './messages.ts';
import type { ConversationOptions, WireCallOptions, WireStreams } from './options.ts';
import { failureOf, isProducer, OutgoingStream } from './outgoing-stream.ts';
import { endedByRunner, failCall, type PendingCall, PendingCalls, tell } from './pending-calls.ts';
import { encodeValue, type Payload } from './values.ts';
import { conversationClosed, errorFromFailure, unexpectedFrame } from './wire-errors.ts';

export type { ConversationOptions, WireCallOptions, WireStreams } from './options.ts';

/** Starts a conversation. Reading begins at once; the streams keep Node alive only while calls are pending. */
export function startConversation(streams: WireStreams, options: ConversationOptions = {}): Conversation {
  return new Conversation(streams, options);
}

/** One conversation with one runner. Made by `startConversation`. */
export class Conversation {
  readonly #streams: WireStreams;
  readonly #options: ConversationOptions;
  readonly #input: FrameWriter;
  readonly #control: FrameWriter;
  readonly #dumps: Dumps;
  readonly #calls = new PendingCalls();
  readonly #hello = defer<m.RunnerHello>();
  readonly #ended = defer<Error | undefined>();
  #over: { readonly reason: Error | undefined } | undefined;
  #isClosing = false;
  #holds = 0;
  #graceTimer: NodeJS.Timeout | undefined;
  /** Set while finished frames may wait in the runner: asks for them when nothing comes any more. */
  #fetchTimer: NodeJS.Timeout | undefined;

  /** Settles when the conversation is over: with the reason, or undefined when it was closed as asked. Never rejects. */
  readonly ended: Promise<Error | undefined> = this.#ended.promise;

  constructor(streams: WireStreams, options: ConversationOptions) {
    this.#streams = streams;
    this.#options = options;
    this.#input = new FrameWriter(streams.input);
    this.#control = new FrameWriter(streams.control);
    this.#dumps = new Dumps(streams.dumps);
    this.#hello.promise.catch(ignore);
    this.#listen();
    setRef(streams, false);
  }

  /** Calls that the runner has not settled yet, given up ones included. */
  get pendingCount(): number {
    return this.#calls.size;
  }

  /** Calls that the runner has not settled yet, oldest first. */
  get busyCalls(): readonly { readonly id: number; readonly slot: number }[] {
    return this.#calls.list().map(({ id, slot }) => ({ id, slot }));
  }

  /** Settles when the runner has settled every call, at once if there is none. */
  idle(): Promise<void> {
    return this.#calls.idle();
  }

  /**
   * Says hello and waits for the runner's.
   * @throws StartError `VERSION_MISMATCH` saying which side to update
   */
  async hello(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<m.RunnerHello> {
    const greeting = { protocol: m.PROTOCOL, node: process.version, maxFrameBytes: this.#options.maxFrameBytes };
    this.#input.text({ kind: m.HELLO, flags: 0, slot: 0, id: 0 }, JSON.stringify(greeting));
    const hello = await unlessAborted(this.#hold(this.#hello.promise), options.signal);
    if (hello.protocol !== m.PROTOCOL) {
      const side = hello.protocol > m.PROTOCOL ? 'host' : 'runner';
      const message = `Runner speaks protocol ${hello.protocol}, expected ${m.PROTOCOL}`;
      throw new StartError('VERSION_MISMATCH', message, { hint: `Update the ${side}` });
    }
    return hello;
  }

  /**
   * Loads a dialect and lets it import its plugin.
   * @throws StartError `IMPORT_FAILED`, `INTERFACE_MISMATCH`, … as the runner says, with its traceback
   */
  open(message: m.OpenMessage, options: WireCallOptions = {}): Promise<m.Opened> {
    const payload = encodeValue(message, 'open');
    return this.#request(0, options, (id) => {
      this.#put({ kind: m.OPEN, flags: 0, slot: 0, id }, payload);
    }) as Promise<m.Opened>;
  }

  /**
   * Calls an operation by its slot. One argument may be an (asynchronous) iterable: the client stream. Bytes among the
   * arguments are not copied: leave them unchanged until the call settles.
   * @throws CallError `ARGUMENT_INVALID`, `RESULT_INVALID`, `OVERLOADED`, …; PluginError; the signal's reason
   */
  call(slot: number, args: readonly unknown[], options: WireCallOptions = {}): Promise<unknown> {
    return this.#request(slot, options, (id, call) => {
      this.#sendCall({ id, slot, flags: 0 }, args, { call, options });
    });
  }

  /** Calls a raw operation: bytes in, bytes out. `bytes` is not copied: leave it unchanged until the call settles. */
  callRaw(slot: number, bytes: Uint8Array, options: WireCallOptions = {}): Promise<Uint8Array> {
    return this.#request(slot, options, (id, call) => {
      if (options.options === undefined)
        this.#put({ kind: m.CALL, flags: m.RAW, slot, id }, { flags: 0, parts: [bytes] });
      else this.#sendCall({ id, slot, flags: m.RAW }, [bytes], { call, options });
    }) as Promise<Uint8Array>;
  }

  /**
   * The items of an operation's stream, for one consumer. The call is made by the first `next()`; leaving the loop
   * cancels it. One argument may be an (asynchronous) iterable.
   */
  stream(slot: number, args: readonly unknown[], options: WireCallOptions = {}): AsyncIterableIterator<unknown> {
    let call: PendingCall | undefined;
    const incoming: IncomingStream = new IncomingStream(
      {
        start: () => {
          call = this.#begin(slot, options, { incoming });
          this.#sendCall({ id: call.id, slot, flags: m.STREAMING }, args, { call, options });
        },
        grant: (items, bytes) => {
          if (call !== undefined) this.#input.credit(call.id, items, bytes);
        },
        cancel: () => {
          if (call !== undefined) this.#cancel(call);
        },
      },
      options.window,
    );
    return incoming;
  }

  /**
   * The Python stacks of the runner, busy or idle, without stopping it.
   * @throws CallError `CALL_TIMEOUT` when its code cannot be reached
   */
  dump(options: { readonly timeoutMs?: number } = {}): Promise<string> {
    this.#control.empty(m.DUMP, 0);
    return this.#hold(this.#dumps.next(options.timeoutMs ?? DUMP_TIMEOUT_MS, this.ended));
  }

  /** Waits until the runner has served everything that was sent before. */
  async ping(options: WireCallOptions = {}): Promise<void> {
    await this.#request(0, options, (id) => {
      this.#input.empty(m.PING, id);
    });
  }

  /** Asks the runner to stop what it does, to close its plugin and to exit. Idempotent; the exit is not waited for. */
  close(): void {
    if (this.#isClosing || this.#over !== undefined) return;
    this.#isClosing = true;
    this.#control.empty(m.CLOSE, 0);
    this.#input.empty(m.CLOSE, 0);
    this.#input.end();
  }

  /** The process is gone: everything pending rejects with `reason`. Idempotent. */
  end(reason: Error): void {
    this.#finish(reason, reason);
  }

  /** Keeps Node alive, until as many `unref()`. */
  ref(): void {
    if (this.#holds++ === 0) setRef(this.#streams, true);
  }

  unref(): void {
    if (--this.#holds === 0) setRef(this.#streams, false);
  }

  #listen(): void {
    const { input, output, control, dumps } = this.#streams;
    const maxFrameBytes = this.#options.maxFrameBytes ?? m.MAX_FRAME_BYTES;
    const decoder = new FrameDecoder((frame) => {
      this.#receive(frame);
    }, maxFrameBytes);
    output.on('data', (chunk: Buffer) => {
      if (this.#over !== undefined) return;
      try {
        decoder.push(chunk);
        this.#fetchTimer?.refresh();
      } catch (error) {
        this.#break(error);
      }
    });
    const closed = (): void => {
      this.#outputClosed(decoder.isInsideFrame);
    };
    output.once('end', closed).once('close', closed);
    // A broken channel shows at the output's end and in the exit of the process, which says more.
    for (const stream of [input, output, control, dumps]) stream.on('error', ignore);
  }

  /** The runner wrote its last byte: gives whoever watches the process time to say why. */
  #outputClosed(isInsideFrame: boolean): void {
    if (this.#over !== undefined || this.#graceTimer !== undefined) return;
    if (this.#isClosing) {
      this.#finish(undefined, endedByRunner());
      return;
    }
    const state = isInsideFrame ? 'in the middle of a frame' : 'before every call was settled';
    this.#graceTimer = setTimeout(() => {
      const error = new CallError('PLUGIN_EXITED', `Runner closed the wire ${state}, expected it to go on`);
      this.#finish(error, error);
    }, EXIT_GRACE_MS);
  }

  #break(error: unknown): void {
    const reason =
      error instanceof CharmerError
        ? error
        : new ProtocolError('FRAME_MALFORMED', 'Payload of a frame cannot be read, expected what its flags say', {
            cause: error,
          });
    this.#finish(reason, reason);
  }

  #finish(reason: Error | undefined, error: Error): void {
    if (this.#over !== undefined) return;
    this.#over = { reason };
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#fetchTimer);
    this.#fetchTimer = undefined;
    this.#input.stop();
    this.#control.stop();
    this.#hello.reject(error);
    for (const call of this.#calls.takeAll()) {
      this.unref();
      failCall(call, error);
    }
    this.#ended.resolve(reason);
  }

  // -- calls going out

  #request(slot: number, options: WireCallOptions, send: (id: number, call: PendingCall) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = this.#begin(slot, options, { resolve, reject });
      try {
        send(call.id, call);
      } catch (error) {
        this.#take(call.id);
        reject(error);
      }
    });
  }

  #begin(slot: number, options: WireCallOptions, settle: Partial<PendingCall>): PendingCall {
    const { signal, onProgress, onSettled } = options;
    signal?.throwIfAborted();
    if (this.#over !== undefined) throw this.#over.reason ?? conversationClosed();
    if (this.#isClosing) throw conversationClosed();
    const call: PendingCall = {
      id: this.#calls.nextId(),
      slot,
      resolve: ignore,
      reject: ignore,
      onProgress,
      onSettled,
      isAbandoned: false,
      ...settle,
    };
    if (signal !== undefined) {
      const abort = (): void => {
        if (call.incoming === undefined) call.reject(signal.reason);
        else call.incoming.abandon(signal.reason);
        this.#cancel(call);
      };
      signal.addEventListener('abort', abort, { once: true });
      call.unlisten = () => {
        signal.removeEventListener('abort', abort);
      };
    }
    this.#calls.add(call);
    this.ref();
    return call;
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#calls.take(id);
    if (call !== undefined) this.unref();
    return call;
  }

  #cancel(call: PendingCall): void {
    if (call.isAbandoned || this.#calls.get(call.id) !== call) return;
    call.isAbandoned = true;
    call.outgoing?.stop();
    this.#control.empty(m.CANCEL, call.id);
    this.#input.empty(m.CANCEL, call.id);
  }

  #sendCall(
    head: { readonly id: number; readonly slot: number; readonly flags: number },
    args: readonly unknown[],
    { call, options }: { readonly call: PendingCall; readonly options: WireCallOptions },
  ): void {
    let sent = args;
    const place = args.findIndex(isProducer);
    if (place !== -1) {
      sent = args.with(place, STREAM_PLACE);
      const producer = args[place];
      if (isProducer(producer)) call.outgoing = this.#outgoing(head.id, producer);
    }
    const value = options.options === undefined ? sent : { args: sent, options: options.options };
    const payload = encodeValue(value, 'arguments');
    const flags = head.flags | (options.options === undefined ? 0 : m.OPTIONS);
    this.#put({ kind: m.CALL, flags, slot: head.slot, id: head.id }, payload);
  }

  #outgoing(id: number, producer: Iterable<unknown> | AsyncIterable<unknown>): OutgoingStream {
    return new OutgoingStream(producer, {
      item: (payload, isBatch) => {
        this.#put({ kind: m.ITEM, flags: isBatch ? m.BATCH : 0, slot: 0, id }, payload);
      },
      end: () => {
        this.#input.empty(m.END, id);
      },
      fail: (failure) => {
        this.#put({ kind: m.FAILURE, flags: 0, slot: 0, id }, encodeValue(failure, 'failure'));
      },
    });
  }

  #put(head: FrameHead, payload: Payload): void {
    const limit = this.#options.maxFrameBytes ?? m.MAX_FRAME_BYTES;
    const size = payloadBytes(payload, limit);
    if (size > limit) {
      throw new CallError('ARGUMENT_INVALID', `Arguments take ${size} bytes, expected at most ${limit}`, {
        hint: "Send less at once, as a stream, or raise 'maxFrameBytes'",
      });
    }
    if ('text' in payload) this.#input.text({ ...head, flags: head.flags | payload.flags }, payload.text);
    else this.#input.bytes({ ...head, flags: head.flags | payload.flags }, ...payload.parts);
  }

  // -- frames coming in

  #receive(frame: Frame): void {
    switch (frame.kind) {
      case m.RESULT:
        this.#settle(frame, (call) => {
          call.resolve(valueOf(frame));
        });
        return;
      case m.ITEM:
        this.#item(frame);
        return;
      case m.END:
        this.#settle(frame, (call) => {
          if (call.incoming === undefined) call.reject(endedByRunner());
          else call.incoming.finish(this.#isClosing ? { error: endedByRunner() } : undefined);
        });
        return;
      case m.FAILURE:
        this.#failure(frame);
        return;
      case m.CREDIT:
        this.#calls.get(frame.id)?.outgoing?.addCredit(...creditOf(frame));
        return;
      case m.CANCEL:
        this.#calls.get(frame.id)?.outgoing?.stop();
        return;
      case m.PONG:
        if (frame.id === 0) {
          this.#expectWaiting();
          return;
        }
        this.#settle(frame, (call) => {
          call.resolve(undefined);
        });
        return;
      case m.OPENED:
        this.#settle(frame, (call) => {
          call.resolve(valueOf(frame));
        });
        return;
      case m.EVENT:
        this.#event(frame);
        return;
      case m.ASK:
        void this.#answer(frame.id, valueOf(frame));
        return;
      case m.HELLO:
        this.#hello.resolve(valueOf(frame) as m.RunnerHello);
        return;
      default:
        throw unexpectedFrame(frame);
    }
  }

  #expectWaiting(): void {
    clearTimeout(this.#fetchTimer);
    this.#fetchTimer = setTimeout(() => {
      this.#fetchTimer = undefined;
      if (!this.#isClosing) this.#control.empty(m.PING, 0);
    }, SILENCE_MS).unref();
  }

  #settle(frame: Frame, settle: (call: PendingCall) => void): void {
    const call = this.#take(frame.id);
    if (call === undefined) throw unexpectedFrame(frame);
    call.outgoing?.stop();
    if (call.isAbandoned) tell(() => call.onSettled?.());
    else settle(call);
  }

  #item(frame: Frame): void {
    const call = this.#calls.get(frame.id);
    if (call?.incoming === undefined) throw unexpectedFrame(frame);
    if (call.isAbandoned) return;
    const value = valueOf(frame);
    const items: unknown[] = (frame.flags & m.BATCH) === 0 ? [value] : (value as unknown[]);
    call.incoming.push(items, frame.end - frame.start);
  }

  #failure(frame: Frame): void {
    if (frame.id === 0) throw errorFromFailure(valueOf(frame));
    const call = this.#take(frame.id);
    if (call === undefined) throw unexpectedFrame(frame);
    failCall(call, errorFromFailure(valueOf(frame), call.outgoing?.failure?.error));
  }

  #event(frame: Frame): void {
    const event = valueOf(frame) as m.WorkerEvent;
    const call = this.#calls.get(frame.id);
    const { id } = frame;
    if (event.type === 'progress' && call?.isAbandoned === false) tell(() => call.onProgress?.(event));
    tell(() => this.#options.onEvent?.(event, id));
  }

  async #answer(id: number, question: unknown): Promise<void> {
    let head: FrameHead = { kind: m.ANSWER, flags: 0, slot: 0, id };
    let payload: Payload;
    try {
      if (this.#options.onAsk === undefined) {
        throw new ProtocolError('MESSAGE_UNEXPECTED', 'Host answers no questions of this plugin');
      }
      payload = encodeValue(await this.#options.onAsk(question), 'answer');
    } catch (error) {
      head = { ...head, kind: m.FAILURE };
      payload = encodeValue(failureOf(error), 'failure');
    }
    if (this.#over === undefined) this.#put(head, payload);
  }

  async #hold<T>(promise: Promise<T>): Promise<T> {
    this.ref();
    try {
      return await promise;
    } finally {
      this.unref();
    }
  }
}

// Time between the end of the output and the news of the process's exit, which says more.
const EXIT_GRACE_MS = 1000;
const DUMP_TIMEOUT_MS = 1000;
// How long a frame may wait in the runner, behind code that was quick and is not any more.
const SILENCE_MS = 2;

function setRef(streams: WireStreams, isRef: boolean): void {
  for (const stream of Object.values(streams) as readonly { ref?: () => void; unref?: () => void }[]) {
    if (isRef) stream.ref?.();
    else stream.unref?.();
  }
}

function ignore(): void {
  // Nothing to do.
}

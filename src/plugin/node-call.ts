import { CallWatch } from './call-watch.ts';
import type { NodeSession } from './node-session.ts';
import type { SessionCallOptions } from './plugin-session.ts';
import { untilGivenUp } from '../process/given-up.ts';

/** A node that is run for its inputs in a fresh instance. */
export interface NodeCall {
  readonly plugin: string;
  readonly node: string;
  /** A list of inputs, or one. */
  readonly inputs: unknown;
  readonly options: Pick<SessionCallOptions, 'signal' | 'timeoutMs' | 'idleTimeoutMs'>;
  /** What `timeoutMs` limits. */
  readonly deadline: 'total' | 'first item';
  open(signal: AbortSignal): Promise<NodeSession>;
}

/**
 * The outputs of a node for its inputs. Who leaves early or gives up ends the instance.
 *
 * @throws CallError `CALL_TIMEOUT`
 * @throws the signal's reason, untouched
 */
export async function* callNode(call: NodeCall): AsyncGenerator {
  const { timeoutMs, idleTimeoutMs } = call.options;
  const watch = watchOf(call);
  const { signal } = watch;
  watch.arm(timeoutMs, call.deadline);
  let session: NodeSession | undefined;
  let feeding: Promise<void> | undefined;
  try {
    session = await call.open(signal);
    feeding = feed(session, call.inputs);
    feeding.catch(() => undefined);
    const outputs = session[Symbol.asyncIterator]();
    for (;;) {
      const next = await untilGivenUp(outputs.next(), { signal }, neverLate);
      if (next.done === true) break;
      if (next.value.error !== undefined) throw next.value.error;
      if (call.deadline === 'first item') watch.disarm();
      yield next.value.data;
      if (call.deadline === 'first item') watch.arm(idleTimeoutMs, 'idle');
    }
    await feeding;
  } finally {
    watch.settled();
    const closing = session?.close().catch(() => undefined);
    // Whoever gave up is answered at once; the stop ladder goes on by itself.
    if (!signal.aborted) await closing;
  }
}

function watchOf({ plugin, node, options }: NodeCall): CallWatch {
  const worker = {
    plugin,
    operation: node,
    stacks: () => Promise.reject(new TypeError('A node is asked for its stacks by its session')),
    kill: () => undefined,
  };
  return new CallWatch(worker, options.signal);
}

/** Sends every input, then completes the input, whatever happened. */
async function feed(session: NodeSession, inputs: unknown): Promise<void> {
  try {
    if (!isList(inputs)) await session.send(inputs);
    else for await (const input of inputs) await session.send(input);
  } finally {
    await session.inputComplete();
  }
}

/** Texts and bytes are inputs, however well they can be iterated. */
function isList(inputs: unknown): inputs is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof inputs !== 'object' || inputs === null || ArrayBuffer.isView(inputs)) return false;
  return Symbol.asyncIterator in inputs || Symbol.iterator in inputs;
}

function neverLate(): Error {
  return new TypeError('A wait without a limit was late');
}

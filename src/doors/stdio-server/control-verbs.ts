/** The requests about a session's control bus: taps, publishes, intercepts, node states and remote calls. */
import { CallError } from '../../errors.ts';
import type { ControlSession } from '../../pipeline/control-session.ts';
import { DeferredCall, type RpcCallOptions } from '../../pipeline/deferred-call.ts';
import { encodeRuntimeData, parseRuntimeData } from '../../runtime-codec.ts';
import {
  listField,
  numberField,
  objectField,
  optionalNumber,
  optionalText,
  optionalWord,
  textField,
} from './fields.ts';
import type { Message } from './frames.ts';

/** Something that a client takes value by value: a tap, an intercept or a stream of a remote call. */
export interface Taken {
  /** `{ value }`, `{ lagged: true }` where values were lost, or `{ done: true }`. */
  next(): Promise<Readonly<Record<string, unknown>>>;
  release(): void;
  /** An intercept's decision about one value. */
  decide?(message: Message): boolean;
}

const STATES = ['enabled', 'bypass', 'disabled'] as const;
const MODES = ['ff', 'reply', 'stream'] as const;
const DECISIONS = ['pass', 'replace', 'drop'] as const;
/** Name of a client that gives none. */
const ATTACH_ID = 'python-inproc';

/** The client of the bus under whose name a request comes. */
export function controlName(message: Message): string {
  return optionalText(message, 'attach') ?? ATTACH_ID;
}

/** `publish`: never waits for the node. */
export function publish(control: ControlSession, message: Message): undefined {
  control.publish(textField(message, 'address'), message['data']);
}

/** `state`: from the node's next input on. */
export function setState(control: ControlSession, message: Message): undefined {
  control.setNodeState(textField(message, 'node'), optionalWord(message, 'state', STATES) ?? 'enabled');
}

/** `cancel_turn`: ends a node's running turn; settles when the next one can begin. */
export async function cancelTurn(control: ControlSession, message: Message): Promise<undefined> {
  await control.cancelTurn(textField(message, 'node'));
  return undefined;
}

/** `subscribe`: a tap. */
export function subscribe(control: ControlSession, message: Message): Taken {
  const tap = control.subscribe(textField(message, 'address'));
  return {
    next: async () => {
      if (tap.isClosed && tap.size === 0) return { done: true };
      const data = await tap.recv().catch((error: unknown) => {
        if (tap.isClosed) return undefined;
        throw error;
      });
      if (data === undefined) return { done: true };
      return data === null ? { lagged: true } : { value: encodeRuntimeData(data) };
    },
    release: () => tap.close(),
  };
}

/** `intercept`: a say in what passes. */
export function intercept(control: ControlSession, message: Message): Taken {
  const held = control.intercept(textField(message, 'address'), optionalNumber(message, 'deadline_ms'));
  return {
    next: async () => {
      const request = await held.recv();
      if (request === undefined) return { done: true };
      return { value: { correlation_id: request.correlationId, data: encodeRuntimeData(request.data) } };
    },
    release: () => held.close(),
    decide: (decided) => {
      const decision = optionalWord(decided, 'decision', DECISIONS) ?? 'pass';
      const data = decision === 'replace' ? parseRuntimeData(decided['data']) : undefined;
      return held.complete(numberField(decided, 'correlation_id'), decision, data);
    },
  };
}

/** `call`: one reply of a remote method; undefined for fire-and-forget. */
export async function call(control: ControlSession, message: Message, signal: AbortSignal): Promise<unknown> {
  return remoteCall(control, message, signal);
}

/** `stream`: the values of a remote method, one by one. */
export function stream(control: ControlSession, message: Message): Taken {
  const abort = new AbortController();
  const values = remoteCall(control, message, abort.signal)[Symbol.asyncIterator]();
  return {
    next: async () => {
      const step = await values.next();
      return step.done === true ? { done: true } : { value: step.value };
    },
    release: () => {
      // Aborting reaches a `next` that waits; returning ends an iteration that stands between two values.
      abort.abort();
      void values.return?.(undefined).catch(() => undefined);
    },
  };
}

function remoteCall(control: ControlSession, message: Message, signal: AbortSignal): DeferredCall {
  const node = textField(message, 'node');
  const method = textField(message, 'method');
  const remote = control.node(node)[method];
  if (remote === undefined) {
    throw new CallError('OPERATION_UNKNOWN', `'${method}' cannot be the name of a method of node '${node}'`);
  }
  const options: RpcCallOptions = {
    mode: optionalWord(message, 'mode', MODES),
    timeoutMs: optionalNumber(message, 'timeout_ms'),
    corrId: optionalText(message, 'corr_id'),
    signal,
  };
  return remote.invoke({ ...options, args: listField(message, 'args'), kwargs: objectField(message, 'kwargs') });
}

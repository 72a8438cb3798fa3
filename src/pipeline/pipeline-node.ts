/** The seam between a pipeline and what its nodes are: the pipeline knows no processes. */
import type { ExitReport } from '../errors.ts';
import type { PluginSession, WorkerEvent } from '../plugin/plugin-session.ts';
import { decodeRuntimeData, encodeRuntimeData, parseRuntimeData, plainRuntimeData } from '../runtime-codec.ts';
import type { RuntimeData } from '../runtime-data.ts';

/** Options of one turn. */
export interface TurnOptions {
  /** Aborting stops the work and frees the next turn; the iteration rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Options of one remote call. */
export interface RpcOptions extends TurnOptions {
  /** `ff`, `reply`, `stream`, or null: as the method is declared. */
  readonly mode: RpcMode | null;
  readonly corrId: string | null;
}

/** How a remote method answers: never, once, or with a stream. */
export type RpcMode = 'ff' | 'reply' | 'stream';

/** One node of a running pipeline. */
export interface PipelineNode {
  /** One input with everything that it produces. At most one turn runs at a time. */
  turn(input: RuntimeData, options: TurnOptions): AsyncIterable<RuntimeData>;
  /** A message on one of the node's ports; runs beside a turn. */
  aux?(port: string, payload: unknown, options: TurnOptions): AsyncIterable<RuntimeData>;
  /** A call of a method that the author published; runs beside a turn. Yields values, or replies `{ kind, data }`. */
  rpc?(method: string, args: RpcArguments, options: RpcOptions): AsyncIterable<unknown>;
  /** Names of the published methods with how they answer. */
  rpcMeta?(): Promise<Readonly<Record<string, RpcMode>>>;
  /** Ends the running turn; resolves once the next one can begin. */
  cancelTurn?(): Promise<void>;
  /** Listens to what the node tells outside of any answer; returns a function that stops listening. */
  onEvent(listener: (event: WorkerEvent) => void): () => void;
  /** Settles when the node ends, however it ends. Never rejects. */
  readonly exited: Promise<ExitReport | undefined>;
  /** Idempotent and bounded. */
  close(): Promise<ExitReport | undefined>;
}

/** Positional and named arguments of a remote call. */
export interface RpcArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** What the operations of a resident node are called. */
const OPERATIONS = {
  turn: 'process',
  aux: 'aux',
  rpc: 'rpc',
  rpcMeta: 'rpc_meta',
  control: 'control',
  cancelTurn: 'cancel_turn',
} as const;

/** A node that lives in a resident plugin session of its own, opened for exactly this node. */
export function sessionNode(session: PluginSession): PipelineNode {
  const decoded = (values: AsyncIterable<unknown>): AsyncIterable<RuntimeData> => mapped(values, decodeRuntimeData);
  return {
    turn: (input, options) =>
      input.type === 'control'
        ? controlTurn(session, input, options)
        : decoded(session.stream(OPERATIONS.turn, [encodeRuntimeData(input)], options)),
    aux: (port, payload, options) => decoded(session.stream(OPERATIONS.aux, [port, payload], options)),
    rpc: (method, { args, kwargs }, { mode, corrId, signal }) =>
      session.stream(OPERATIONS.rpc, [method, args, kwargs, mode, corrId], { signal }),
    rpcMeta: async () => parseMeta(await session.call(OPERATIONS.rpcMeta, [])),
    cancelTurn: async () => {
      await session.call(OPERATIONS.cancelTurn, []);
    },
    onEvent: (listener) => session.onEvent(listener),
    exited: session.exited,
    close: () => session.close(),
  };
}

/** A control message is looked at by the node and answered with nothing. */
async function* controlTurn(
  session: PluginSession,
  input: RuntimeData,
  options: TurnOptions,
): AsyncGenerator<RuntimeData> {
  await session.call(OPERATIONS.control, [encodeRuntimeData(input)], options);
}

/** What stands behind an operation of another format when it is used as a node. */
export interface OperationBackend {
  /** One value in; one value, or a stream of them, out. */
  call(value: unknown, options: TurnOptions): Promise<unknown> | AsyncIterable<unknown>;
  readonly exited: Promise<ExitReport | undefined>;
  close(): Promise<ExitReport | undefined>;
}

/**
 * One operation of any format as a node: a text, JSON value or run of bytes goes in as it is, results come out by the rules
 * of loose inputs, null as nothing.
 */
export function operationNode(backend: OperationBackend): PipelineNode {
  return {
    turn: (input, options) => operationTurn(backend, input, options),
    onEvent: () => () => undefined,
    exited: backend.exited,
    close: () => backend.close(),
  };
}

async function* operationTurn(
  backend: OperationBackend,
  input: RuntimeData,
  options: TurnOptions,
): AsyncGenerator<RuntimeData> {
  const answer = backend.call(plainRuntimeData(input), options);
  if (!(Symbol.asyncIterator in answer)) {
    const value = await answer;
    if (value !== undefined && value !== null) yield parseRuntimeData(value);
    return;
  }
  for await (const value of answer) {
    if (value !== undefined && value !== null) yield parseRuntimeData(value);
  }
}

const END: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** Maps item by item without a generator in between: this runs once per output of every node. */
function mapped<T, U>(source: AsyncIterable<T, unknown>, map: (value: T) => U): AsyncIterable<U> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = source[Symbol.asyncIterator]();
      return {
        next: async () => {
          const step = await iterator.next();
          return step.done === true ? END : { value: map(step.value), done: false };
        },
        return: async () => {
          await iterator.return?.();
          return END;
        },
      };
    },
  };
}

function parseMeta(value: unknown): Readonly<Record<string, RpcMode>> {
  const modes: Record<string, RpcMode> = {};
  if (typeof value !== 'object' || value === null) return modes;
  for (const [name, mode] of Object.entries<unknown>({ ...value })) {
    if (mode === 'ff' || mode === 'reply' || mode === 'stream') modes[name] = mode;
  }
  return modes;
}

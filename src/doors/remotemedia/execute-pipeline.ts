/** The unary call of the original: everything in, everything out (spec 8.2, R93). */
import type { CharmerError } from '../../errors.ts';
import type { RuntimeData } from '../../index.ts';
import { createStreamingSession, type StreamingSessionOptions } from './streaming-session.ts';

/** Options of `executePipeline`. */
export interface ExecuteOptions extends StreamingSessionOptions {
  /** Rejects with the first error of a turn instead of going on. @default false */
  readonly failFast?: boolean;
}

/** What a pipeline gave for all its inputs. */
export class PipelineResult {
  /** Every output in the order of arrival. */
  readonly outputs: readonly { readonly node: string; readonly data: RuntimeData }[];
  /** Every turn that failed. */
  readonly errors: readonly { readonly node: string; readonly input: number; readonly error: CharmerError }[];

  constructor(outputs: PipelineResult['outputs'], errors: PipelineResult['errors']) {
    this.outputs = outputs;
    this.errors = errors;
  }

  /** Ids of the nodes that put something out. */
  getNodeIds(): readonly string[] {
    return [...new Set(this.outputs.map(({ node }) => node))];
  }

  /** The first output of a node, as in the original; `getAll` has them all. */
  get(node: string): RuntimeData | undefined {
    return this.outputs.find((output) => output.node === node)?.data;
  }

  getAll(node: string): readonly RuntimeData[] {
    return this.outputs.filter((output) => output.node === node).map(({ data }) => data);
  }

  has(node: string): boolean {
    return this.outputs.some((output) => output.node === node);
  }

  /** Number of nodes that put something out. */
  get size(): number {
    return this.getNodeIds().length;
  }
}

/**
 * Runs a pipeline over inputs to its end (R93): a list goes to every source in order, an object says per node id what that
 * node gets (one value or a list).
 */
export async function executePipeline(
  manifestJson: string | object,
  inputs: readonly unknown[] | Readonly<Record<string, unknown>>,
  options: ExecuteOptions = {},
): Promise<PipelineResult> {
  const { failFast = false, ...rest } = options;
  const streaming = await createStreamingSession(manifestJson, { ...rest, errors: failFast ? 'throw' : 'items' });
  const { session } = streaming;
  const outputs: { node: string; data: RuntimeData }[] = [];
  const errors: { node: string; input: number; error: CharmerError }[] = [];
  const sending = sendAll();
  // Its failure is told below, after the outputs; until then nobody may call it unhandled.
  sending.catch(() => undefined);
  try {
    for await (const { node, turn, data, error } of session) {
      if (error !== undefined) errors.push({ node, input: turn, error });
      else if (data !== undefined) outputs.push({ node, data });
    }
    await sending;
    return new PipelineResult(outputs, errors);
  } finally {
    await streaming.close();
  }

  async function sendAll(): Promise<void> {
    try {
      if (Array.isArray(inputs)) for (const input of inputs) await session.send(input);
      else await Promise.all(Object.entries(inputs).map(([node, given]) => sendTo(node, given)));
    } finally {
      await session.inputComplete();
    }
  }

  async function sendTo(node: string, given: unknown): Promise<void> {
    for (const input of Array.isArray(given) ? given : [given]) await session.send(input, { node });
  }
}

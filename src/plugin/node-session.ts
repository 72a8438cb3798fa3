import type { CharmerError } from '../errors.ts';
import type { RuntimeData } from '../runtime-data.ts';

/** One thing that came out of a running pipeline: a value, or the error of a turn. */
export interface NodeOutput {
  /** Id of the node that it comes from. */
  readonly node: string;
  /** Number of the input that it answers, from 1; 0 for what answers none. */
  readonly turn: number;
  readonly data?: RuntimeData;
  /** Set in place of `data` when the turn failed. */
  readonly error?: CharmerError;
}

/** Where an input goes; without fields it goes to every source of the pipeline. */
export interface SendTarget {
  readonly node?: string;
  readonly port?: string;
}

/**
 * What a plugin needs to know of a running session to answer calls with it.
 * The pipeline's own session has these members and more.
 */
export interface NodeSession extends AsyncIterable<NodeOutput> {
  readonly id: string;
  send(data: unknown, target?: SendTarget): Promise<unknown>;
  inputComplete(): Promise<void>;
  close(): Promise<unknown>;
}

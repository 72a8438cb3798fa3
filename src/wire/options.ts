import type { Readable, Writable } from 'node:stream';

import type { JsonObject } from '../plugin-spec.ts';
import type { WorkerEvent } from './messages.ts';

/** The four channels, named from the runner's side: the host writes `input` and `control`. */
export interface WireStreams {
  readonly input: Writable;
  readonly output: Readable;
  readonly control: Writable;
  readonly dumps: Readable;
}

/** Options of a conversation. */
export interface ConversationOptions {
  /** Largest payload sent or taken, in bytes. @default 256 MiB */
  readonly maxFrameBytes?: number;
  /** Called for every event; `callId` 0: it belongs to no call. */
  onEvent?(event: WorkerEvent, callId: number): void;
  /** Answers the runner's questions. @default every question is refused */
  onAsk?(question: unknown): Promise<unknown>;
}

/** Options of one call. */
export interface WireCallOptions {
  /** Aborting rejects at once with the signal's reason and cancels the work. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: WorkerEvent) => void) | undefined;
  /** Sent to the dialect. */
  readonly options?: JsonObject | undefined;
  /** Items of a stream allowed at once, fixed. @default adapts, from 16 to 1024 */
  readonly window?: number | undefined;
  /** Called once the runner has settled a call that was given up, or is gone. */
  readonly onSettled?: (() => void) | undefined;
}

/**
 * The wire between a host and a runner.
 *
 * A frame is twelve bytes, little-endian, and a payload: `u32 payload length, u8 kind, u8 flags, u16 slot, u32 id`. Both
 * sides say hello first. The host opens a dialect and is told its operations; a call names one by its slot. The call's id
 * goes with everything that belongs to it: the result or failure or end that settles it, the items of its stream in either
 * direction, the credit that allows them, its events, its cancel. Host ids are odd, runner ids even; id 0 belongs to no
 * call. Items are sent only on credit: so many items, so many payload bytes, and a side with any of both left may send one
 * item of any size. Descriptors of the runner: 3 frames in, 4 frames out, 5 control frames in, 6 dumps out as text, each
 * ended by a zero byte. A cancel goes both ways in, by 3 for its place among the frames and by 5 for a busy runner. A call
 * that ended because it was cancelled is settled by an end. A pong of id 0 says that finished frames may wait behind
 * plugin code that has been quick; a ping by 5 gets them. Unknown kinds are errors; unknown fields are ignored.
 */
import type { JsonObject, JsonValue, Operation, SitePackages } from '../plugin-spec.ts';

/** Version of everything below. Sides of different versions refuse each other at hello. */
export const PROTOCOL = 1;
/** Bytes before every payload. */
export const HEADER_BYTES = 12;

/** The kinds of frames: the number of a kind is its place from 1. */
export const KINDS = [
  'hello',
  'open',
  'opened',
  'call',
  'result',
  'failure',
  'item',
  'end',
  'credit',
  'cancel',
  'ask',
  'answer',
  'event',
  'ping',
  'pong',
  'close',
  'dump',
] as const;

/** The kinds by name; what each carries is said where it is written. */
export const HELLO = 1;
export const OPEN = 2;
export const OPENED = 3;
export const CALL = 4;
export const RESULT = 5;
export const FAILURE = 6;
export const ITEM = 7;
export const END = 8;
export const CREDIT = 9;
export const CANCEL = 10;
export const ASK = 11;
export const ANSWER = 12;
export const EVENT = 13;
export const PING = 14;
export const PONG = 15;
export const CLOSE = 16;
export const DUMP = 17;

/** The JSON uses one-key objects whose key starts with `$` as tags; user keys that start with `$` are doubled. */
export const TAGGED = 1;
/** The payload is `u32 n, n times u32 length, u32 JSON length, JSON`, then the attachments back to back. */
export const ATTACHED = 2;
/** The payload is the bytes value itself. With ATTACHED: a raw call whose arguments are JSON all the same. */
export const RAW = 4;
/** The payload is a JSON array of several items that were ready together. */
export const BATCH = 8;
/** In a call: the answer is a stream. */
export const STREAMING = 16;
/** In a call: the payload is `{"args": [...], "options": {...}}` instead of the arguments alone. */
export const OPTIONS = 32;

/** Items that a receiver allows at the start of a stream. */
export const WINDOW_ITEMS = 16;
/** Payload bytes that a receiver allows. */
export const WINDOW_BYTES: number = 4 << 20;
/** Largest number of items that credit grows to while the consumer waits for the producer. */
export const WINDOW_ITEMS_LIMIT = 1024;
/** Largest payload that is sent or taken unless the host says otherwise. */
export const MAX_FRAME_BYTES: number = 256 << 20;

/** What a runner says first. */
export interface RunnerHello {
  readonly protocol: number;
  /** Version of the runner. */
  readonly runner: string;
  /** Version of its interpreter, for example `3.11.7`. */
  readonly python: string;
  readonly pid: number;
  readonly capabilities: readonly string[];
}

/** What a runner is opened with. */
export interface OpenMessage {
  /** Absolute path of the format's Python half. */
  readonly dialect: string;
  /** Absolute directories put before everything else on `sys.path`. */
  readonly importFirst: readonly string[];
  /** Absolute directories put behind everything else. */
  readonly importLast: readonly string[];
  readonly sitePackages: SitePackages;
  /** Handed to the dialect as it is. */
  readonly opening: JsonObject;
}

/** What a runner answers when the plugin is ready. */
export interface Opened {
  /** In the order of their slots. */
  readonly operations: readonly Operation[];
  readonly warnings: readonly string[];
  /** What the dialect found out, by names of its own. */
  readonly facts: JsonObject;
}

/** The payload of a failure frame. Further fields are evidence, by the names of `ErrorEvidence`. */
export interface FailureMessage {
  readonly code: string;
  readonly message: string;
  readonly pluginCode?: string;
  readonly details?: JsonValue;
  readonly traceback?: string;
  readonly [field: string]: unknown;
}

/** Something that a runner tells outside of any answer. */
export interface WorkerEvent {
  /** `progress`, `log`, `publish`, `warning`, or a name of the format's own. */
  readonly type: string;
  readonly [field: string]: unknown;
}

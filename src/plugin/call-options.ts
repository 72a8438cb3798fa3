import type { BatchRow } from '../formats/format.ts';
import { checkOptionNames } from '../nearest-name.ts';
import type { CallReport } from './call-report.ts';
import type { SessionCallOptions } from './plugin-session.ts';

/** Options of a call, set with `plugin.with(options)`. */
export interface CallOptions extends SessionCallOptions {
  /** Sees a report for every finished call, failed ones included. */
  readonly onReport?: ((report: CallReport) => void) | undefined;
  /** Sees the rows of a batch as they come, in the order of their finishing. */
  readonly onRow?: ((row: BatchRow) => void) | undefined;
  /** Secret values by key, in place of those given at load. */
  readonly auth?: Readonly<Record<string, string>> | undefined;
  /** Parameters of a node for `call` and `stream`. */
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the call may be repeated once when its worker dies. @default false */
  readonly idempotent?: boolean | undefined;
  /** How many processes a batch may use at once. @default 3 */
  readonly concurrency?: number | undefined;
  /** Most items that one process of a batch is given. @default 50 */
  readonly chunkSize?: number | undefined;
  /** Whether the items of a failed chunk are tried once more, each in a process of its own. @default false */
  readonly isolate?: boolean | undefined;
}

const NAMES: readonly string[] = [
  'signal',
  'timeoutMs',
  'idleTimeoutMs',
  'onProgress',
  'traceparent',
  'onReport',
  'onRow',
  'auth',
  'params',
  'idempotent',
  'strict',
  'concurrency',
  'chunkSize',
  'isolate',
] satisfies readonly (keyof CallOptions)[];

/** Largest delay that a timer holds, in milliseconds: about 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Checks call options at the border.
 *
 * @throws TypeError for an unknown name (the nearest known one is in the message) or a value of the wrong kind
 * @throws RangeError for a deadline that is not a positive number of milliseconds below 2^31 (leave it out for none),
 * and for a count that is not a whole number above 0
 */
export function parseCallOptions(options: CallOptions): CallOptions {
  checkOptionNames(options, NAMES, 'call');
  checkDeadline('timeoutMs', options.timeoutMs);
  checkDeadline('idleTimeoutMs', options.idleTimeoutMs);
  checkCount('concurrency', options.concurrency);
  checkCount('chunkSize', options.chunkSize);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new TypeError('The call option signal must be an AbortSignal');
  }
  for (const name of ['onProgress', 'onReport', 'onRow'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw new TypeError(`The call option ${name} must be a function`);
    }
  }
  return options;
}

/** Refuses numbers of things that nothing could ever wait for: with no place at all every call would queue for good. */
export function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new RangeError(`The option ${name} must be a whole number above 0; got ${String(value)}`);
}

/** Refuses deadlines that a timer would turn into an instant one. */
export function checkDeadline(name: string, value: number | undefined): void {
  if (value === undefined) return;
  if (typeof value === 'number' && value > 0 && value <= LONGEST_TIMER_MS) return;
  throw new RangeError(
    `The option ${name} must be a number of milliseconds above 0 and below 2^31, or be left out for no limit; got ${String(value)}`,
  );
}

import { checkOptionNames } from '../nearest-name.ts';
import { checkDeadline } from '../plugin/call-options.ts';
import type { LoadOptions } from './load-options.ts';

/** Options of `host.session`. */
export interface SessionOptions {
  /** What relative plugin paths are relative to. @default the manifest's directory when a path was given, else the working directory */
  readonly baseDir?: string;
  /** Variables granted to every node. */
  readonly env?: LoadOptions['env'];
  /** Name of the session, unique within the process. @default a random one */
  readonly sessionId?: string;
  /** Deadline of the work of one node for one input, in milliseconds. @default 30000, or what the format's environment says */
  readonly nodeTimeoutMs?: number;
  /** Whether a node whose process died is started anew for its next input. @default false */
  readonly restart?: boolean;
  /** How errors of turns reach the caller: as items of the iteration, thrown from it, or not at all. @default 'items' */
  readonly errors?: 'items' | 'throw' | 'silent';
  /** Whether what an author sends to ports of its own reaches the data stream beside their taps. @default true */
  readonly portsReachData?: boolean;
  /** Only `requires` counts, not what decorators and module headers ask for. @default false */
  readonly strict?: boolean;
  /** Whether cached downloads are fetched anew. @default false */
  readonly refresh?: boolean;
  /** How long a node may take to become ready, in milliseconds. @default the host's */
  readonly readyTimeoutMs?: number;
  /** Aborting gives up the start. */
  readonly signal?: AbortSignal;
}

const NAMES: readonly string[] = [
  'baseDir',
  'env',
  'sessionId',
  'nodeTimeoutMs',
  'restart',
  'errors',
  'portsReachData',
  'strict',
  'refresh',
  'readyTimeoutMs',
  'signal',
] satisfies readonly (keyof SessionOptions)[];

/** Checks the options of a session. Throws `TypeError` for unknown names, `RangeError` for impossible deadlines. */
export function parseSessionOptions(options: SessionOptions): SessionOptions {
  checkOptionNames(options, NAMES, 'session');
  checkDeadline('nodeTimeoutMs', options.nodeTimeoutMs);
  checkDeadline('readyTimeoutMs', options.readyTimeoutMs);
  return options;
}

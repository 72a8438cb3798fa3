import type { BatchRow } from '../../formats/format.ts';
import type { ReplyOptions } from '../../formats/obscura/reply-options.ts';
import type { CallReport } from '../../index.ts';
import type { PluginExecutionError } from './plugin-execution-error.ts';

/** Options of one run. The first two are the original's. */
export interface NativePythonRunOptions {
  /** From the start of the process, in milliseconds. @default 30000 for one item; 60000 for a batch, more for a long one */
  readonly timeoutMs?: number;
  /** Put on PYTHONPATH word for word, in place of a directory that shows the plugin's neighbours. */
  readonly pluginsRootDir?: string;
  /** Put on PYTHONPATH behind that, in order: the host's own PYTHONPATH is never handed on. */
  readonly extraSearchPath?: readonly string[];
  /** Variables for the plugin; `true` hands on the host's own value. */
  readonly env?: Readonly<Record<string, string | true>>;
  /** Aborting ends the process and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How replies are read where the original leaves no choice. */
  readonly reply?: ReplyOptions;
  /** Most bytes of standard output. @default 33554432 */
  readonly maxStdoutBytes?: number;
  /** Whether the original's verdicts are kept where ours are better. @default false */
  readonly strict?: boolean;
  /** Sees a report of every process, with what was odd about its reply. */
  readonly onReport?: (report: CallReport) => void;
}

/** Options of a batch. */
export interface NativePythonBatchOptions extends NativePythonRunOptions {
  /** Items given to one process; what is done is kept when another process fails. @default all, in one process that fails as a whole */
  readonly chunkSize?: number;
  /** Whether items whose process failed are tried once more, each in a process of its own. @default false */
  readonly isolate?: boolean;
  /** Processes at once. @default 3 */
  readonly concurrency?: number;
  /** Sees rows as they come. */
  readonly onRow?: (row: BatchRow) => void;
}

/** One item of a batch. Fields beside these are sent as they are. */
export interface PluginBatchItem {
  readonly id: string;
  readonly input: unknown;
}

/** One row of a batch: one per item, in the order of the items. */
export interface PluginBatchRow {
  readonly id: string;
  readonly result: unknown;
  /** True where the plugin left the item out. */
  readonly missing?: true;
  /** Why there is no result: the process failed, or what the plugin itself says about the item. */
  readonly error?: PluginExecutionError | string;
}

import { checkOptionNames } from '../nearest-name.ts';
import { checkCount, checkDeadline } from '../plugin/call-options.ts';
import type { JsonObject, JsonValue, ProcessLimits } from '../plugin-spec.ts';
import { checkLimits } from './host-options.ts';

/** Options of `host.load`. */
export interface LoadOptions {
  /** Interface descriptor: the plugin is checked against it before it is ready. */
  readonly interface?: JsonObject;
  /** Configuration of this instance. */
  readonly config?: JsonValue;
  /** Secret values by key. */
  readonly auth?: Readonly<Record<string, string>>;
  /** Variables granted to this plugin beside the host's grants. */
  readonly env?: Readonly<Record<string, string | true>>;
  /** Limits of its processes, in place of the host's. */
  readonly limits?: ProcessLimits;
  /** `lazy` puts starting off to the first use. @default 'now' */
  readonly start?: 'now' | 'lazy';
  /** Whether the original system's verdicts and conversions are reproduced where ours are better. @default false */
  readonly strict?: boolean;
  /** What relative references are relative to. @default the working directory */
  readonly baseDir?: string;
  /** Directory put on a one-shot plugin's import path in place of the generated one of its neighbours. */
  readonly pluginsRoot?: string;
  /** Most processes of this plugin at once, for one-shot plugins. @default the host's limit */
  readonly maxProcesses?: number;
  /** Most bytes of a one-shot reply. @default 33554432 */
  readonly maxOutputBytes?: number;
  /** How long the plugin may take to become ready, in milliseconds. @default the host's */
  readonly readyTimeoutMs?: number;
  /** Whether a cached download is fetched anew. @default false */
  readonly refresh?: boolean;
  /** Aborting gives up loading. */
  readonly signal?: AbortSignal;
}

const NAMES: readonly string[] = [
  'interface',
  'config',
  'auth',
  'env',
  'limits',
  'start',
  'strict',
  'baseDir',
  'pluginsRoot',
  'maxProcesses',
  'maxOutputBytes',
  'readyTimeoutMs',
  'refresh',
  'signal',
] satisfies readonly (keyof LoadOptions)[];

/** Checks the options of a load. Throws `TypeError` for unknown names, `RangeError` for impossible deadlines, counts and limits. */
export function parseLoadOptions(options: LoadOptions): LoadOptions {
  checkOptionNames(options, NAMES, 'load');
  checkDeadline('readyTimeoutMs', options.readyTimeoutMs);
  checkCount('maxProcesses', options.maxProcesses);
  checkCount('maxOutputBytes', options.maxOutputBytes);
  checkLimits(options.limits);
  if (options.start !== undefined && options.start !== 'now' && options.start !== 'lazy') {
    throw new TypeError(`The load option start must be 'now' or 'lazy'; got '${String(options.start)}'`);
  }
  return options;
}

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import type { PluginFormat } from '../formats/format.ts';
import { formats as everyFormat } from '../formats/index.ts';
import { checkOptionNames } from '../nearest-name.ts';
import { checkCount, checkDeadline } from '../plugin/call-options.ts';
import type { ProcessLimits } from '../plugin-spec.ts';
import { parseTrustPolicy, type ResolvedTrustPolicy, type TrustPolicy } from './trust-policy.ts';

/** Options of `createHost`. */
export interface HostOptions {
  /** Directories whose sub-directories are plugins that can be loaded by name. @default [] */
  readonly searchPath?: readonly string[];
  /** Directory for environments, byte-code and downloads. @default `$XDG_CACHE_HOME/charmer` or `~/.cache/charmer` */
  readonly cacheDir?: string;
  /** Directory of installed plugins. @default none */
  readonly store?: string;
  readonly python?: {
    /** Interpreter to use in place of the first suitable one on PATH. */
    readonly path?: string;
    /** Modules that fork servers import before they fork. */
    readonly preload?: readonly string[];
  };
  /** What is demanded of a plugin before anything of it is read. @default `{ require: 'none' }` */
  readonly trust?: TrustPolicy;
  /** Limits of every plugin's process. @default none */
  readonly limits?: ProcessLimits;
  /** Variables granted to every plugin: values, or `true` to pass the host's own. Nothing else beyond a short list is handed on. */
  readonly env?: Readonly<Record<string, string | true>>;
  /** `auto` uses fork servers where that changes nothing for the plugin; `exec` always starts the command. @default 'auto' */
  readonly launch?: 'auto' | 'exec';
  /** Formats in the order in which they claim directories. @default all */
  readonly formats?: readonly PluginFormat[];
  /** Total deadline of every call that names none, in milliseconds. @default none, or what the format's plugins are written for */
  readonly timeoutMs?: number;
  /** How long a plugin may take to become ready, in milliseconds. @default 300000 */
  readonly readyTimeoutMs?: number;
  /** Most one-shot processes at once, over all plugins. @default 8 */
  readonly maxProcesses?: number;
}

/** Host options with every default in place. */
export interface ResolvedHostOptions {
  readonly searchPath: readonly string[];
  readonly cacheDir: string;
  readonly store: string | undefined;
  readonly pythonPath: string | undefined;
  readonly preload: readonly string[];
  readonly trust: ResolvedTrustPolicy;
  readonly limits: ProcessLimits;
  readonly env: Readonly<Record<string, string | true>>;
  readonly launch: 'auto' | 'exec';
  readonly formats: readonly PluginFormat[];
  readonly timeoutMs: number | undefined;
  readonly readyTimeoutMs: number;
  readonly maxProcesses: number;
}

const NAMES: readonly string[] = [
  'searchPath',
  'cacheDir',
  'store',
  'python',
  'trust',
  'limits',
  'env',
  'launch',
  'formats',
  'timeoutMs',
  'readyTimeoutMs',
  'maxProcesses',
] satisfies readonly (keyof HostOptions)[];

/** Models of several gigabytes are loaded in this time. */
const READY_TIMEOUT_MS = 300_000;
/** Two cores are saturated by a handful of processes; more only queue in the kernel. */
const MAX_PROCESSES = 8;

/**
 * Checks the options of a host and fills in the defaults.
 *
 * @throws TypeError for unknown names (the nearest known one is in the message) and values of the wrong kind
 * @throws RangeError for deadlines, counts and limits that are not above 0
 */
export function parseHostOptions(options: HostOptions): ResolvedHostOptions {
  checkOptionNames(options, NAMES, 'host');
  checkOptionNames(options.python ?? {}, ['path', 'preload'], 'python');
  checkDeadline('timeoutMs', options.timeoutMs);
  checkDeadline('readyTimeoutMs', options.readyTimeoutMs);
  checkCount('maxProcesses', options.maxProcesses);
  checkLimits(options.limits);
  const searchPath: unknown = options.searchPath ?? [];
  if (!Array.isArray(searchPath)) {
    throw new TypeError(`The host option searchPath must be a list of directories; got '${String(searchPath)}'`);
  }
  if (options.launch !== undefined && options.launch !== 'auto' && options.launch !== 'exec') {
    throw new TypeError(`The host option launch must be 'auto' or 'exec'; got '${String(options.launch)}'`);
  }
  return {
    searchPath: (options.searchPath ?? []).map((path) => resolve(path)),
    cacheDir: resolve(options.cacheDir ?? defaultCacheDir()),
    store: options.store === undefined ? undefined : resolve(options.store),
    pythonPath: options.python?.path,
    preload: options.python?.preload ?? [],
    trust: parseTrustPolicy(options.trust),
    limits: options.limits ?? {},
    env: options.env ?? {},
    launch: options.launch ?? 'auto',
    formats: options.formats ?? everyFormat,
    timeoutMs: options.timeoutMs,
    readyTimeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
    maxProcesses: options.maxProcesses ?? MAX_PROCESSES,
  };
}

/** Refuses limits that would not limit: a mistyped name, or no number. */
export function checkLimits(limits: ProcessLimits = {}): void {
  checkOptionNames(
    limits,
    ['memoryMb', 'cpuSeconds', 'files', 'processes'] satisfies (keyof ProcessLimits)[],
    'limits',
  );
  for (const [name, value] of Object.entries<number | undefined>({ ...limits })) checkCount(`limits.${name}`, value);
}

/** Where downloads, environments and byte-code are kept unless the host says otherwise. */
export function defaultCacheDir(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'charmer');
}

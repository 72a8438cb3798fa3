/** The original's two run functions over a host of ours (spec §2, §3, §6). */
import { statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

import { createHost, type Host, type HostOptions, type LoadOptions, type Plugin } from '../../index.ts';
import type { JsonValue } from '../../plugin-spec.ts';
import { commandWords } from '../../formats/obscura/index.ts';
import type { ObscuraManifest } from '../../formats/obscura/manifest.ts';
import type { BatchRow } from '../../formats/format.ts';
import { CharmerError } from '../../errors.ts';
import { asExecutionError, type RunName } from './as-execution-error.ts';
import { givenManifests } from './given-manifest.ts';
import { PluginExecutionError } from './plugin-execution-error.ts';
import type {
  NativePythonBatchOptions,
  NativePythonRunOptions,
  PluginBatchItem,
  PluginBatchRow,
} from './run-options.ts';

/** What a run is given: the original's positional arguments. */
export type RunArguments = [
  manifest: ObscuraManifest,
  installDir: string,
  action: string,
  input: unknown,
  auth: Readonly<Record<string, string>>,
  options?: NativePythonRunOptions,
];

/** What a batch is given: the original's positional arguments. */
export type BatchArguments = [
  manifest: ObscuraManifest,
  installDir: string,
  action: string,
  items: readonly PluginBatchItem[],
  auth: Readonly<Record<string, string>>,
  options?: NativePythonBatchOptions,
];

/** The run functions with the host that they work over. */
export interface ObscuraRunner {
  readonly host: Host;
  /** @throws PluginExecutionError */
  runNativePythonPlugin<T = unknown>(...run: RunArguments): Promise<T | null>;
  /** @throws PluginExecutionError when the one process of the batch fails */
  runNativePythonPluginBatch(...run: BatchArguments): Promise<PluginBatchRow[]>;
  /** Ends every process. Idempotent. */
  close(): Promise<void>;
}

/**
 * Run functions over a host of their own, for callers who want its options or its events.
 *
 * @param options `formats` may hold a variant of the format; others are left out.
 */
export function createObscuraRunner(options: HostOptions = {}): ObscuraRunner {
  const manifests = givenManifests(options.formats?.find(({ name }) => name === 'obscura'));
  const host = createHost({ ...options, formats: [manifests.format] });
  const plugins = new LoadedPlugins(host);
  const withPlugin = <T>(prepared: PreparedRun, work: (plugin: Plugin) => Promise<T>): Promise<T> =>
    manifests.run(prepared.manifest, () => callLoaded(plugins, prepared, work));
  return {
    host,
    runNativePythonPlugin: async <T>(...[manifest, installDir, action, input, auth, run = {}]: RunArguments) => {
      const name = { pluginId: manifest.id, action, isBatch: false };
      const prepared = { manifest, installDir, auth, run, name };
      return withPlugin(prepared, (plugin) => plugin.call(action, input)) as Promise<T | null>;
    },
    runNativePythonPluginBatch: async (...[manifest, installDir, action, items, auth, run = {}]) => {
      const name = { pluginId: manifest.id, action, isBatch: true };
      const prepared = { manifest, installDir, auth, run, name };
      return withPlugin(prepared, (plugin) => runBatch(plugin, items, prepared));
    },
    close: () => host.close(),
  };
}

async function runBatch(
  plugin: Plugin,
  items: readonly PluginBatchItem[],
  { run, name }: PreparedRun,
): Promise<PluginBatchRow[]> {
  const { chunkSize, isolate, concurrency, onRow } = run;
  const isWhole = chunkSize === undefined && isolate !== true;
  const options = { isolate, concurrency, onRow, chunkSize: chunkSize ?? Math.max(1, items.length) };
  const rows = await plugin.with(options).batch(name.action, items);
  if (isWhole) throwCommonError(rows);
  // The original returns the plugin's own rows, whatever they are.
  if (isWhole && run.strict === true) return rows as PluginBatchRow[];
  return rows.map((row) => asRow(row, name));
}

/** Plugins stay loaded: each call reads the manifest and starts a process of its own all the same. */
class LoadedPlugins {
  readonly #host: Host;
  readonly #loaded = new Map<string, Promise<Plugin>>();

  constructor(host: Host) {
    this.#host = host;
  }

  load(directory: string, options: LoadOptions): Promise<Plugin> {
    const key = JSON.stringify([directory, options]);
    const known = this.#loaded.get(key);
    if (known !== undefined) return known;
    const loading = this.#host.load(directory, options);
    this.#loaded.set(key, loading);
    loading.catch(() => this.#loaded.delete(key));
    return loading;
  }
}

interface PreparedRun {
  readonly manifest: ObscuraManifest;
  readonly installDir: string;
  readonly auth: Readonly<Record<string, string>>;
  readonly run: NativePythonBatchOptions;
  readonly name: RunName;
}

async function callLoaded<T>(
  plugins: LoadedPlugins,
  prepared: PreparedRun,
  work: (plugin: Plugin) => Promise<T>,
): Promise<T> {
  const { manifest, auth, run, name } = prepared;
  const directory = resolve(prepared.installDir);
  if (manifest.script === undefined || manifest.script.length === 0) {
    throw new PluginExecutionError(`Plugin "${manifest.id}" has no script defined`, name, { kind: 'no-script' });
  }
  checkDirectory(directory, prepared);
  try {
    const plugin = await plugins.load(directory, loadOptions(run));
    const { timeoutMs, signal, onReport, strict } = run;
    return await work(plugin.with({ auth, timeoutMs, signal, onReport, strict }));
  } catch (error) {
    throw asExecutionError(error, name);
  }
}

function loadOptions(run: NativePythonRunOptions): LoadOptions {
  const { pluginsRootDir, maxStdoutBytes, reply, extraSearchPath, env } = run;
  const searchPath = extraSearchPath === undefined ? {} : { PYTHONPATH: extraSearchPath.join(delimiter) };
  return {
    env: { ...env, ...searchPath },
    ...(pluginsRootDir === undefined ? {} : { pluginsRoot: pluginsRootDir }),
    ...(maxStdoutBytes === undefined ? {} : { maxOutputBytes: maxStdoutBytes }),
    ...(reply === undefined ? {} : { config: reply as JsonValue }),
  };
}

/** A directory that is gone is told apart from a command that is missing (spec W33). */
function checkDirectory(directory: string, { manifest, run, name }: PreparedRun): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const [word = ''] = commandWords(manifest.script ?? []);
  const subject = name.isBatch ? 'plugin batch' : 'plugin';
  const reason = run.strict === true ? `spawn ${word} ENOENT` : `its directory '${directory}' does not exist`;
  const details = { word, errno: 'ENOENT', directory };
  throw new PluginExecutionError(`Failed to spawn ${subject}: ${reason}`, name, { kind: 'spawn', stderr: '', details });
}

/** A batch in one process fails as a whole: its error is then the error of every row. */
function throwCommonError(rows: readonly BatchRow[]): void {
  const [first] = rows;
  if (first?.error instanceof Error && rows.every((row) => row.error === first.error)) throw first.error;
}

function asRow(row: BatchRow, name: RunName): PluginBatchRow {
  const result = row.result ?? null;
  const missing = row.missing === true ? ({ missing: true } as const) : {};
  if (row.error === undefined) return { id: row.id, result, ...missing };
  const error =
    row.error instanceof CharmerError ? asExecutionError(row.error, { ...name, isBatch: false }) : row.error;
  return { id: row.id, result, ...missing, error: error instanceof PluginExecutionError ? error : textOfError(error) };
}

function textOfError(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'string' ? error : JSON.stringify(error);
}

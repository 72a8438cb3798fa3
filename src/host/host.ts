import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';

import { CallError } from '../errors.ts';
import type { PipelineSession } from '../pipeline/pipeline-session.ts';
import type { Plugin } from '../plugin/plugin.ts';
import type { PluginStats } from '../plugin/plugin-backend.ts';
import { Slots } from '../plugin/slots.ts';
import { holdNode } from '../process/hold-node.ts';
import { createSupervisor, type Supervisor } from '../process/supervisor.ts';
import { releaseEnvironments } from '../provision/environment-store.ts';
import { findInterpreter } from '../provision/interpreter.ts';
import { discover, type PluginSummary } from './discover.ts';
import { EventHub, type HostEvents, type HostListener } from './events.ts';
import type { HostContext } from './host-context.ts';
import { parseHostOptions, type HostOptions, type ResolvedHostOptions } from './host-options.ts';
import { createLauncher } from './launcher.ts';
import { loadPlugin } from './load.ts';
import type { LoadOptions } from './load-options.ts';
import { startSession } from './session.ts';
import type { SessionOptions } from './session-options.ts';

/** How one plugin of a host is. */
export interface PluginHealth {
  readonly plugin: string;
  readonly state: string;
  readonly pid: number | undefined;
}

/** Makes a host. Synchronous; starts nothing. Unknown option names are a `TypeError` that names the nearest known one. */
export function createHost(options: HostOptions = {}): Host {
  return new Host(options);
}

/**
 * Loads plugins and owns their processes: nothing of them outlives it.
 *
 * Invariants: one supervisor per host, started at the first load; `close()` is shared and outranks every load.
 */
export class Host {
  readonly #options: ResolvedHostOptions;
  readonly #events = new EventHub();
  readonly #context: HostContext;
  readonly #closer = new AbortController();
  readonly #plugins = new Set<Plugin<PipelineSession>>();
  readonly #sessions = new Set<PipelineSession>();
  #supervisor: Promise<Supervisor> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HostOptions = {}) {
    this.#options = parseHostOptions(options);
    // Every load under way listens: that is no leak.
    setMaxListeners(0, this.#closer.signal);
    this.#context = {
      options: this.#options,
      formats: this.#options.formats,
      events: this.#events,
      slots: new Slots(this.#options.maxProcesses),
      closing: this.#closer.signal,
      leaseOwner: randomUUID(),
      hostEnv: () => ({ ...process.env }),
      launcher: createLauncher(() => this.#startSupervisor(), this.#options),
    };
  }

  /**
   * Loads a plugin: a directory, an archive, a name on the search path, or `owner/repo@tag`.
   * A resident plugin is started, imported and checked before the promise resolves.
   */
  async load(reference: string, options: LoadOptions = {}): Promise<Plugin<PipelineSession>> {
    const plugin = await loadPlugin(this.#open(), reference, { ...options, signal: this.#orClosing(options.signal) });
    this.#plugins.add(plugin);
    return plugin;
  }

  /** The plugins in the sub-directories of `paths`, manifests only; broken ones are listed with their reason. @default the search path */
  async discover(paths: readonly string[] = this.#options.searchPath): Promise<readonly PluginSummary[]> {
    return discover(this.#open(), paths);
  }

  /** Starts a pipeline from the path of a manifest or from a manifest as an object. */
  async session(manifest: string | object, options: SessionOptions = {}): Promise<PipelineSession> {
    const session = await startSession(this.#open(), manifest, { ...options, signal: this.#orClosing(options.signal) });
    this.#sessions.add(session);
    return session;
  }

  /** How every loaded plugin is. */
  health(): readonly PluginHealth[] {
    return [...this.#plugins].map(({ id, state, pid }) => ({ plugin: id, state, pid }));
  }

  /** How every loaded plugin has been used, by id. */
  stats(): Readonly<Record<string, PluginStats>> {
    return Object.fromEntries([...this.#plugins].map((plugin) => [plugin.id, plugin.stats()]));
  }

  /** Listens to an event; returns a function that stops listening. */
  on<Name extends keyof HostEvents>(event: Name, listener: HostListener<Name>): () => void {
    return this.#events.on(event, listener);
  }

  /** Ends every plugin, session and process of this host. Idempotent, bounded. */
  close(): Promise<void> {
    this.#closing ??= holdNode(this.#end());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    this.#closer.abort(closedError());
    await Promise.allSettled([...this.#sessions].map((session) => session.close()));
    await Promise.allSettled([...this.#plugins].map((plugin) => plugin.close()));
    const supervisor = await this.#supervisor?.catch(() => undefined);
    await supervisor?.close();
    releaseEnvironments(this.#options.cacheDir, this.#context.leaseOwner);
  }

  #open(): HostContext {
    if (this.#closing !== undefined) throw closedError();
    this.#forgetClosed();
    return this.#context;
  }

  #forgetClosed(): void {
    for (const plugin of this.#plugins) if (plugin.state === 'closed') this.#plugins.delete(plugin);
    for (const session of this.#sessions) if (session.state === 'closed') this.#sessions.delete(session);
  }

  #orClosing(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closer.signal : AbortSignal.any([signal, this.#closer.signal]);
  }

  #startSupervisor(): Promise<Supervisor> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    this.#supervisor ??= this.#makeSupervisor();
    return this.#supervisor;
  }

  async #makeSupervisor(): Promise<Supervisor> {
    try {
      const { pythonPath, cacheDir } = this.#options;
      const { path } = await findInterpreter({
        env: this.#context.hostEnv(),
        cacheDir,
        ...(pythonPath !== undefined && { path: pythonPath }),
      });
      const supervisor = createSupervisor({ interpreter: path, byteCodeDirectory: join(cacheDir, 'bytecode') });
      await supervisor.start();
      return supervisor;
    } catch (error) {
      this.#supervisor = undefined;
      throw error;
    }
  }
}

function closedError(): CallError {
  return new CallError('HOST_CLOSED', 'The host is closed', { hint: 'Make a new one with createHost().' });
}

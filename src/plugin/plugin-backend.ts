import type { ExitReport } from '../errors.ts';
import type { BatchRow } from '../formats/format.ts';
import type { JsonValue, Operation, PluginSpec } from '../plugin-spec.ts';
import type { CallOptions } from './call-options.ts';
import type { NodeSession } from './node-session.ts';
import type { Provenance } from './provenance.ts';

/** How a plugin has been used. */
export interface PluginStats {
  /** Calls and streams begun. */
  readonly calls: number;
  /** Those that have not come to an end. */
  readonly active: number;
  /** Processes started. */
  readonly starts: number;
  /** Processes started in place of crashed ones. */
  readonly restarts: number;
}

/** Where a plugin lives, as its public face sees it: one process, or a fresh one per call. */
export interface PluginBackend<Session extends NodeSession> {
  readonly spec: PluginSpec;
  readonly provenance: Provenance;
  readonly operations: readonly Operation[] | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly state: string;
  readonly pid: number | undefined;
  call(operation: string, args: readonly unknown[], options: CallOptions): Promise<unknown>;
  stream(operation: string, args: readonly unknown[], options: CallOptions): AsyncIterable<unknown>;
  batch(operation: string, items: readonly unknown[], options: CallOptions): Promise<readonly BatchRow[]>;
  configure(config: JsonValue): Promise<PluginBackend<Session>>;
  open(node: string, params: Readonly<Record<string, unknown>> | undefined, signal?: AbortSignal): Promise<Session>;
  stacks(): Promise<string>;
  reload(): Promise<void>;
  stats(): PluginStats;
  close(): Promise<ExitReport | undefined>;
}

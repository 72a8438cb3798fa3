import type { CallReport } from '../../index.ts';

/** Why a run failed: the original tells it in the message alone. */
export type PluginFailureKind =
  'no-script' | 'spawn' | 'timeout' | 'exit' | 'parse' | 'plugin' | 'output-too-large' | 'argument' | 'host';

/** Facts beside the original's four fields (spec W41). */
export interface PluginFailureFacts {
  readonly kind: PluginFailureKind;
  /** Captured standard error, its end where it was too long; absent when no process was started. */
  readonly stderr?: string | undefined;
  readonly exitCode?: number | null | undefined;
  /** Name of the signal that ended the process. */
  readonly signal?: string | null | undefined;
  /** From start to end of the process. */
  readonly durationMs?: number | undefined;
  /** The beginning of what the plugin wrote to standard output. */
  readonly stdoutSample?: string | undefined;
  /** Last lines of standard error, oldest first. */
  readonly stderrTail?: readonly string[] | undefined;
  /** Where the output stops being JSON, in UTF-16 units. */
  readonly offset?: number | undefined;
  /** What is known beside that: the token that is no JSON, the plugin's reason, a hint. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly report?: CallReport | undefined;
  readonly cause?: unknown;
}

/** The original's error of every run that failed, with what it does not say in fields of ours. */
export class PluginExecutionError extends Error {
  override name = 'PluginExecutionError';
  readonly pluginId: string;
  readonly action: string;
  readonly kind: PluginFailureKind;
  declare readonly stderr?: string;
  declare readonly exitCode?: number | null;
  declare readonly signal?: string | null;
  declare readonly durationMs?: number;
  declare readonly stdoutSample?: string;
  declare readonly stderrTail?: readonly string[];
  declare readonly offset?: number;
  declare readonly details?: Readonly<Record<string, unknown>>;
  declare readonly report?: CallReport;

  constructor(message: string, run: { readonly pluginId: string; readonly action: string }, facts: PluginFailureFacts) {
    const { kind, cause, ...fields } = facts;
    super(message, cause === undefined ? undefined : { cause });
    this.pluginId = run.pluginId;
    this.action = run.action;
    this.kind = kind;
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
  }
}

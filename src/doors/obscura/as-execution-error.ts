import { CharmerError, type ErrorCode } from '../../errors.ts';
import type { CallReport } from '../../index.ts';
import { PluginExecutionError, type PluginFailureKind } from './plugin-execution-error.ts';

/** What was run, for the texts of its errors. */
export interface RunName {
  readonly pluginId: string;
  readonly action: string;
  readonly isBatch: boolean;
}

const KINDS: Partial<Record<ErrorCode, PluginFailureKind>> = {
  PLUGIN_RAISED: 'plugin',
  PLUGIN_EXITED: 'exit',
  RESULT_INVALID: 'parse',
  CALL_TIMEOUT: 'timeout',
  OUTPUT_TOO_LARGE: 'output-too-large',
  SPAWN_FAILED: 'spawn',
  PLUGIN_NOT_FOUND: 'spawn',
  ARGUMENT_INVALID: 'argument',
};

/** An error of the host as the original's, with its text; what is no error of the host is returned as it is. */
export function asExecutionError(error: unknown, run: RunName): unknown {
  if (error instanceof RangeError)
    return new PluginExecutionError(error.message, run, { kind: 'argument', cause: error });
  if (!(error instanceof CharmerError)) return error;
  // An input that JSON cannot hold is the caller's: the original rejects with the platform's own error (spec §2.1).
  if (error.code === 'ARGUMENT_INVALID' && error.cause instanceof TypeError) return error.cause;
  const details = error.details ?? {};
  const kind = KINDS[error.code] ?? 'host';
  return new PluginExecutionError(messageOf(error, kind, run), run, {
    kind,
    stderr: kind === 'argument' ? undefined : stderrText(error),
    exitCode: error.exit?.code,
    signal: error.exit?.signal,
    durationMs: error.exit?.durationMs,
    stdoutSample: textIn(details, 'stdoutSample'),
    stderrTail: error.stderrTail,
    offset: typeof details['offset'] === 'number' ? details['offset'] : undefined,
    details: { ...details, ...(error.hint === undefined ? {} : { hint: details['hint'] ?? error.hint }) },
    report: (error as { readonly report?: CallReport }).report,
    cause: error,
  });
}

function messageOf(error: CharmerError, kind: PluginFailureKind, { isBatch }: RunName): string {
  const subject = isBatch ? 'plugin batch' : 'plugin';
  switch (kind) {
    case 'spawn':
      return `Failed to spawn ${subject}: ${osText(error)}`;
    case 'timeout':
      return `${capital(subject)} timed out after ${String(error.details?.['timeoutMs'])}ms`;
    case 'output-too-large':
      return `${capital(subject)} output is larger than ${String(error.details?.['maxBytes'])} bytes`;
    default:
      return error.message;
  }
}

/** What the platform says about a command that it cannot start. */
function osText(error: CharmerError): string {
  const [word, errno] = [textIn(error.details ?? {}, 'word'), textIn(error.details ?? {}, 'errno')];
  return word === undefined || errno === undefined ? error.message : `spawn ${word} ${errno}`;
}

/** The captured text. Where only its lines are known, each is taken to have ended. */
function stderrText(error: CharmerError): string {
  const whole = textIn(error.details ?? {}, 'stderr');
  if (whole !== undefined) return whole;
  const lines = error.stderrTail ?? [];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function textIn(details: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = details[name];
  return typeof value === 'string' ? value : undefined;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

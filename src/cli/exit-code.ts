import { CallError, CharmerError, PluginError, ProtocolError, TrustError } from '../errors.ts';

/** Exit codes of the command line. People write scripts against them: they never change their meaning. */
export const EXIT = {
  ok: 0,
  /** The plugin said no. */
  pluginError: 1,
  /** Wrong usage: arguments, an unknown option or operation. */
  usage: 2,
  /** Not trusted, or an unsafe archive. */
  untrusted: 3,
  /** Could not start: manifest, reference, environment, start, store or pipeline. */
  cannotStart: 4,
  /** The plugin died, broke the wire, or its reply could not be read. */
  died: 5,
  timeout: 6,
  interrupted: 130,
} as const;

/** The command line was used wrongly. Shown without a stack. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The exit code for an error. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof UsageError || error instanceof TypeError || error instanceof RangeError) return EXIT.usage;
  if (error instanceof PluginError) return EXIT.pluginError;
  if (error instanceof TrustError) return EXIT.untrusted;
  if (error instanceof ProtocolError) return EXIT.died;
  if (error instanceof CallError) return exitCodeOfCall(error);
  if (error instanceof CharmerError && error.code === 'ARCHIVE_UNSAFE') return EXIT.untrusted;
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted;
  return EXIT.cannotStart;
}

function exitCodeOfCall(error: CallError): number {
  switch (error.code) {
    case 'CALL_TIMEOUT':
      return EXIT.timeout;
    case 'OPERATION_UNKNOWN':
    case 'ARGUMENT_INVALID':
    case 'WIRE_MODE_MISMATCH':
    case 'SECRET_MISSING':
      return EXIT.usage;
    case 'PLUGIN_RAISED':
      return EXIT.pluginError;
    case 'PLUGIN_EXITED':
    case 'RESULT_INVALID':
    case 'OUTPUT_TOO_LARGE':
    case 'OVERLOADED':
    case 'BREAKER_OPEN':
    case 'RELOAD_REFUSED':
    case 'HOST_CLOSED':
      return EXIT.died;
  }
}

import {
  ArchiveError,
  CallError,
  CharmerError,
  type CodeOf,
  ERROR_CODES,
  type ErrorCode,
  type ErrorEvidence,
  PluginError,
  ProtocolError,
  StartError,
} from '../errors.ts';
import { KINDS, type FailureMessage } from './messages.ts';

/** What an author can do about a result that cannot cross, where the runner says nothing more exact. */
const RESULT_HINT = 'Return JSON values, bytes or arrays; turn other objects into these in the plugin.';

/** A frame that has no place where it came. */
export function unexpectedFrame(frame: { readonly kind: number; readonly id: number }): ProtocolError {
  const kind = KINDS[frame.kind - 1] ?? 'unknown';
  return new ProtocolError('MESSAGE_UNEXPECTED', `Runner sent '${kind}' for id ${frame.id}, which waits for none`);
}

/** What is asked of a conversation that was closed. */
export function conversationClosed(): CallError {
  return new CallError('HOST_CLOSED', 'Conversation is closed, expected an open one');
}

/**
 * The error that a runner's failure frame stands for.
 * @param cause What the host's own side of the call threw, if it did
 */
export function errorFromFailure(failure: unknown, cause?: unknown): CharmerError {
  if (!isFailureMessage(failure)) {
    return new ProtocolError('FRAME_MALFORMED', "Failure frame lacks 'code' or 'message', expected both as text");
  }
  const { code, message, pluginCode, details, ...evidence } = failure;
  const known = { ...(code === 'RESULT_INVALID' && { hint: RESULT_HINT }), ...knownEvidence(evidence), cause };
  // Where in the plugin's life it failed, for those formats that tell.
  const phase = typeof evidence['phase'] === 'string' ? { phase: evidence['phase'] } : {};
  if (code === 'PLUGIN_RAISED') {
    if ('phase' in phase) known.details = phase;
    return new PluginError(message, { ...known, pluginCode: pluginCode ?? 'Exception', pluginDetails: details });
  }
  const facts = {
    ...(isRecord(details) ? details : {}),
    ...(pluginCode === undefined ? {} : { pluginCode }),
    ...phase,
  };
  if (Object.keys(facts).length > 0) known.details = facts;
  if (isCodeOf(code, 'CallError')) return new CallError(code, message, known);
  if (isCodeOf(code, 'StartError')) return new StartError(code, message, known);
  if (isCodeOf(code, 'ProtocolError')) return new ProtocolError(code, message, known);
  if (isCodeOf(code, 'ArchiveError')) return new ArchiveError(code, message, known);
  if (Object.hasOwn(ERROR_CODES, code)) return new CharmerError(code as ErrorCode, message, known);
  return new ProtocolError('MESSAGE_UNEXPECTED', `Runner failed with unknown code '${code}': ${message}`, known);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function isFailureMessage(value: unknown): value is FailureMessage {
  return isRecord(value) && typeof value['code'] === 'string' && typeof value['message'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCodeOf<Name extends string>(code: string, className: Name): code is CodeOf<Name> & string {
  return Object.hasOwn(ERROR_CODES, code) && ERROR_CODES[code as ErrorCode] === className;
}

/** Evidence fields of the expected types; a runner cannot set others. */
function knownEvidence(fields: Readonly<Record<string, unknown>>): Mutable<ErrorEvidence> {
  const evidence: Record<string, unknown> = {};
  for (const name of ['traceback', 'hint', 'path', 'key', 'operation', 'stacks'] as const) {
    if (typeof fields[name] === 'string') evidence[name] = fields[name];
  }
  for (const name of ['line', 'column'] as const) {
    if (typeof fields[name] === 'number') evidence[name] = fields[name];
  }
  return evidence;
}

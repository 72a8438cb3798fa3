/** What is written to a plugin and what its answer means (spec §2). Pure: bytes in, bytes out. */
import { CallError } from '../../errors.ts';
import type { PluginSpec } from '../../plugin-spec.ts';
import { redact } from '../../secrets/redact.ts';
import type { Diagnostic, OneShotCall, OneShotConversation, OneShotFailure, OneShotReply, Verdict } from '../format.ts';
import { batchValue } from './batch-rows.ts';
import { isMissingSibling } from './findings.ts';
import { JsonFault, readJson, type JsonReading } from './json-reader.ts';
import { isRecord, ownValue } from './record.ts';
import { parseReplyOptions, type ReplyOptions } from './reply-options.ts';
import { singleValue } from './single-value.ts';
import { decodeUtf8 } from './yaml.ts';

/** Exit status of an older scraper system for "no match": judged exactly as 0 (spec §2.2). */
const NO_MATCH_STATUS = 69;
/** How much of unreadable output an error quotes, in UTF-16 units (spec §2.2). */
const QUOTED_UNITS = 200;

/** How a call becomes bytes and an answer a verdict: a fresh process per call, one JSON document each way. */
export const conversation: OneShotConversation = {
  kind: 'one-shot',
  defaultTimeoutMs: { single: 30_000, batch: 60_000 },
  canBatch,
  encodeCall,
  decodeReply,
};

/** Whether the manifest declares `supportsBatch` (spec §2.4, O27, O28). */
export function canBatch(spec: PluginSpec): boolean {
  const capabilities = spec.manifest['capabilities'];
  return isRecord(capabilities) && ownValue(capabilities, 'supportsBatch') === true;
}

/**
 * The envelope: compact JSON in UTF-8 without a final newline, lone surrogates escaped (spec §2.1, O13 to O16).
 *
 * @throws CallError `ARGUMENT_INVALID` for an input that JSON cannot hold, with the `TypeError` as cause
 */
export function encodeCall(_spec: PluginSpec, call: OneShotCall): Uint8Array {
  const { envelopeKey = 'obscura_version' } = parseReplyOptions(call.config);
  const content =
    call.mode === 'batch' ? { batch: call.items ?? [] } : { input: call.input === undefined ? {} : call.input };
  const envelope = { [envelopeKey]: 1, action: call.operation, auth: call.auth, ...content };
  try {
    return new TextEncoder().encode(JSON.stringify(envelope));
  } catch (cause) {
    throw new CallError('ARGUMENT_INVALID', `The input of action '${call.operation}' cannot be written as JSON`, {
      operation: call.operation,
      hint: 'JSON holds no bigint and no value that contains itself.',
      cause,
    });
  }
}

/** The verdict in its order: exit status, blank, parse, the plugin's error, success (spec §2.2, O18 to O22, O49). */
export function decodeReply(spec: PluginSpec, call: OneShotCall, reply: OneShotReply): Verdict {
  const options = call.strict ? {} : parseReplyOptions(call.config);
  const text = decodeUtf8(reply.stdout);
  const reading: Reading = { call, options, text, trimmed: text.trim() };
  const before = preflightDiagnostics(spec, call);
  if (reply.exitCode !== 0 && reply.exitCode !== NO_MATCH_STATUS) {
    return { ok: false, failure: exitFailure(reading, reply), diagnostics: before };
  }
  const parsed = parseReply(reading);
  if ('failure' in parsed) return { ok: false, failure: parsed.failure, diagnostics: before };
  const diagnostics = [...before, ...parsed.diagnostics];
  const refusal = pluginFailure(parsed.document, reading);
  if (refusal !== undefined) return { ok: false, failure: refusal, diagnostics };
  const outcome = call.mode === 'batch' ? batchValue(parsed.document, call) : singleValue(parsed.document, call);
  return { ok: true, value: outcome.value, diagnostics: [...diagnostics, ...outcome.diagnostics] };
}

interface Reading {
  readonly call: OneShotCall;
  readonly options: ReplyOptions;
  readonly text: string;
  /** Without JavaScript's white space around it, which a byte-order mark is and U+0085 is not (O51). */
  readonly trimmed: string;
}

/** Known before the call, told with its answer: the plugin runs all the same (spec W28, §3.1). */
function preflightDiagnostics(spec: PluginSpec, call: OneShotCall): Diagnostic[] {
  const missing = spec.secrets.filter((field) => field.isRequired && !Object.hasOwn(call.auth, field.key));
  const keys = missing.map((field) => field.key);
  const auth = keys.map((key) => ({
    kind: 'auth-missing',
    message: `The required auth key '${key}' is not set`,
    details: { key },
  }));
  const siblings = spec.findings.filter(isMissingSibling).map(({ message }) => ({ kind: 'sibling-missing', message }));
  return [...auth, ...siblings];
}

function exitFailure(reading: Reading, reply: OneShotReply): OneShotFailure {
  const { call } = reading;
  const subject = call.mode === 'batch' ? 'Plugin batch' : 'Plugin';
  const message = `${subject} exited with code ${reply.exitCode ?? 'unknown'}`;
  const reason = call.strict ? undefined : reasonBeforeExit(reading);
  return {
    kind: 'exit',
    message: reason === undefined ? message : `${message}: ${reason}`,
    details: { exitCode: reply.exitCode, signal: reply.signal, ...(reason === undefined ? {} : { reason }) },
  };
}

/** What a plugin said about its failure before it ended badly; the original throws it away (spec W9). */
function reasonBeforeExit({ call, trimmed }: Reading): string | undefined {
  try {
    const document: unknown = JSON.parse(trimmed);
    if (!isRecord(document) || Boolean(ownValue(document, 'ok'))) return undefined;
    const error = ownValue(document, 'error');
    return Boolean(error) ? redact(errorText(error, false), call.auth) : undefined;
  } catch {
    return undefined;
  }
}

type Parsed =
  { readonly document: unknown; readonly diagnostics: readonly Diagnostic[] } | { readonly failure: OneShotFailure };

function parseReply(reading: Reading): Parsed {
  const { trimmed, options } = reading;
  if (trimmed === '' || trimmed === 'null') return { document: null, diagnostics: [] };
  const how: JsonReading = { nonFinite: options.nonFinite ?? 'refuse', bigIntegers: options.bigIntegers ?? 'number' };
  try {
    return { document: parseJson(trimmed, how), diagnostics: [] };
  } catch (error) {
    const recovered = options.lastLineAlone === true ? lastLineReply(trimmed, how) : undefined;
    return recovered ?? { failure: parseFailure(reading, error) };
  }
}

/** `JSON.parse` for speed; the exact reader where it is asked for or where the fault must be found. */
function parseJson(text: string, how: JsonReading): unknown {
  if (how.bigIntegers === 'bigint') return readJson(text, how);
  try {
    return JSON.parse(text);
  } catch {
    return readJson(text, how);
  }
}

function lastLineReply(trimmed: string, how: JsonReading): Parsed | undefined {
  const line = trimmed.slice(trimmed.lastIndexOf('\n') + 1);
  try {
    const document = parseJson(line.trim(), how);
    const isEnvelope =
      isRecord(document) && ['ok', 'error', 'result', 'results'].some((key) => Object.hasOwn(document, key));
    if (!isEnvelope) return undefined;
    const message = 'The reply was taken from the last line of the output: what stands before it is no part of it';
    return { document, diagnostics: [{ kind: 'stray-output', message }] };
  } catch {
    return undefined;
  }
}

function parseFailure({ call, text, trimmed }: Reading, error: unknown): OneShotFailure {
  const what = call.mode === 'batch' ? 'plugin batch output' : 'plugin output';
  const quoted = redact(trimmed, call.auth).slice(0, QUOTED_UNITS);
  const message = `Failed to parse ${what}: ${quoted}`;
  if (!(error instanceof JsonFault)) return { kind: 'parse', message };
  const offset = text.indexOf(trimmed) + error.offset;
  const token = redact(error.token, call.auth);
  const hint = parseHint(token, trimmed.slice(0, error.offset));
  return {
    kind: 'parse',
    message,
    offset,
    details: {
      offset,
      token,
      expected: error.expected,
      reason: redact(error.message, call.auth),
      ...(hint === undefined ? {} : { hint }),
    },
  };
}

function parseHint(token: string, before: string): string | undefined {
  if (['NaN', 'Infinity', '-Infinity'].includes(token))
    return `JSON has no ${token}: encode with allow_nan=False, or map it to None.`;
  if (['None', 'True', 'False', "'"].includes(token))
    return 'This is Python notation: write the reply with json.dumps.';
  if (before.trim() === '') return 'Something was printed before the reply: write logs to sys.stderr.';
  if (isWholeDocument(before)) return 'Something was printed after the reply: write logs to sys.stderr.';
  return undefined;
}

function isWholeDocument(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function pluginFailure(document: unknown, { call, options }: Reading): OneShotFailure | undefined {
  if (!isRecord(document) || Boolean(ownValue(document, 'ok'))) return undefined;
  const error = ownValue(document, 'error');
  if (Boolean(error)) {
    const message = redact(errorText(error, call.strict), call.auth);
    return { kind: 'plugin', message };
  }
  if (options.notOk === 'error' && Object.hasOwn(document, 'ok')) {
    return { kind: 'plugin', message: 'Plugin answered that it is not ok and gave no error text' };
  }
  return undefined;
}

/** An error that is no text: as the original converts it, save that objects are written out (spec W12). */
function errorText(error: unknown, isStrict: boolean): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const holdsObjects = !Array.isArray(error) || error.some((member) => typeof member === 'object' && member !== null);
  return !isStrict && holdsObjects ? JSON.stringify(error, bigintAsText) : String(error);
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

import type { Diagnostic, OneShotCall } from '../format.ts';
import { isRecord, ownValue } from './record.ts';

/** A value with what is odd about it. */
export interface ReplyValue {
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

/** The result of a single call: `result ?? null`, whatever the rest (spec §2.2, first table; W11, W13). */
export function singleValue(document: unknown, call: OneShotCall): ReplyValue {
  if (document === null) return { value: null, diagnostics: [] };
  if (!isRecord(document)) return { value: null, diagnostics: [notAnObject(document)] };
  const diagnostics = notOkDiagnostics(document);
  if (!Object.hasOwn(document, 'result') && Object.hasOwn(document, 'results')) {
    const message = `A batch reply to a single call of '${call.operation}': it has results in place of a result`;
    diagnostics.push({ kind: 'batch-reply-to-single', message });
  }
  return { value: ownValue(document, 'result') ?? null, diagnostics };
}

/** `ok` that is there and false, with nothing said about why. */
export function notOkDiagnostics(document: Record<string, unknown>): Diagnostic[] {
  if (!Object.hasOwn(document, 'ok') || Boolean(document['ok'])) return [];
  const message = 'The reply says that ok is false and gives no error text: its result counts all the same';
  return [{ kind: 'not-ok-without-error', message }];
}

/** Valid JSON that is no envelope. */
export function notAnObject(document: unknown): Diagnostic {
  const what = Array.isArray(document) ? 'a list' : `a ${typeof document}`;
  return { kind: 'reply-not-object', message: `The reply is no JSON object but ${what}` };
}

/** Whether an outcome has the form that a case asks for: the fields of the fixtures' README, one by one. */
import { isDeepStrictEqual } from 'node:util';

import type { Diagnostic } from '../../src/index.ts';
import type { Expectation, RecordedCase } from './obscura-cases.ts';
import { valueAt, type Outcome } from './obscura-operations.ts';
import type { Workspace } from './obscura-workspace.ts';

/** What is judged, and with which case at hand. */
export interface Judgement {
  readonly recorded: RecordedCase;
  readonly workspace: Workspace;
  readonly outcome: Outcome;
}

/** What differs, or undefined when the outcome has the expected form. */
export function judge(expectation: Expectation, judgement: Judgement): string | undefined {
  const expected = judgement.workspace.fill(expectation);
  const { outcome } = judgement;
  if (expected.kind === 'either') return judgeEither(expected, judgement);
  const said = expected['diagnostic'];
  if (typeof said === 'string') {
    const silent = judgeDiagnostic(said, outcome);
    if (silent !== undefined) return silent;
  }
  if (expected.kind === 'error' && outcome.kind === 'error') return judgeError(expected, judgement);
  if (expected.kind !== outcome.kind) return `expected kind '${expected.kind}', got ${describe(outcome)}`;
  return expected.kind === 'value' ? judgeValue(expected, judgement) : undefined;
}

function judgeEither(expected: Expectation, judgement: Judgement): string | undefined {
  const faults = (expected['of'] as Expectation[]).map((form) => judge(form, judgement));
  return faults.some((fault) => fault === undefined) ? undefined : `none of: ${faults.join(' | ')}`;
}

function judgeValue(expected: Expectation, judgement: Judgement): string | undefined {
  const { outcome, recorded } = judgement;
  const value = picked(outcome.value, recorded);
  const checks: Readonly<Record<string, (wanted: unknown) => boolean>> = {
    value: (wanted) => equals(wanted, value, judgement),
    special: (wanted) => Object.is(value, Number(wanted)),
    valueLength: (wanted) => typeof value === 'string' && value.length === wanted,
    valueMatches: (wanted) => matches(wanted, value),
    absolute: (wanted) =>
      (wanted as string[]).every((path) => isOneAbsolutePath((value as Record<string, unknown>)[path])),
    noneEquals: (wanted) => Object.values(value as object).every((each) => !(wanted as unknown[]).includes(each)),
    repeated: (wanted) => value === (wanted as { text: string }).text.repeat((wanted as { times: number }).times),
    bigint: (wanted) => typeof value === 'bigint' && value === BigInt(String(wanted)),
    damaged: (wanted) => String(value).includes('\uFFFD') === wanted,
    replacementCharacters: (wanted) => countReplacements(value) === wanted,
    prototypeKeys: (wanted) => isDeepStrictEqual(outcome.prototypeKeys, wanted),
    nowhereIncludes: (wanted) => (wanted as string[]).every((text) => !everything(value).includes(text)),
    peak: (wanted) => outcome.peak === wanted,
  };
  return firstFault(expected, checks, () => `got ${shorten(value)}`);
}

function judgeError(expected: Expectation, { outcome }: Judgement): string | undefined {
  const error = outcome.error as Record<string, unknown> & Error;
  // A code of the platform's is nothing to imitate, nor are the name and the text that go with it.
  if (expected['code'] !== undefined) return undefined;
  const field = (name: string) => (wanted: unknown) => Object.is(error[name] ?? null, wanted);
  const checks: Readonly<Record<string, (wanted: unknown) => boolean>> = {
    name: field('name'),
    message: field('message'),
    pluginId: field('pluginId'),
    action: field('action'),
    stderr: field('stderr'),
    pluginPath: field('pluginPath'),
    line: field('line'),
    column: field('column'),
    exitCode: field('exitCode'),
    signal: field('signal'),
    offset: field('offset'),
    reason: (wanted) => error['reason'] === wanted || isForReason(error, outcome, String(wanted)),
    stderrLastLine: (wanted) => String(error['stderr']).trimEnd().split('\n').at(-1) === wanted,
    stderrLength: (wanted) => String(error['stderr']).length === wanted,
    stderrEndsWith: (wanted) => String(error['stderr']).endsWith(String(wanted)),
    stderrAtMost: (wanted) => String(error['stderr']).length <= Number(wanted),
    messageIncludes: (wanted) => (wanted as string[]).every((text) => includesLoosely(error.message, text)),
    detailIncludes: (wanted) => (wanted as string[]).every((text) => everything(error['details']).includes(text)),
    nowhereIncludes: (wanted) =>
      (wanted as string[]).every((text) => !everything([error, outcome.told, outcome.reports]).includes(text)),
  };
  return firstFault(expected, checks, () => `got ${describe(outcome)}`);
}

/** Fields that say something about the case itself, or are looked at elsewhere. */
const OTHER_FIELDS = ['kind', 'note', 'diagnostic', 'after', 'during', 'watchedMs', 'processFaults'];

function firstFault(
  expected: Expectation,
  checks: Readonly<Record<string, (wanted: unknown) => boolean>>,
  got: () => string,
): string | undefined {
  for (const [field, wanted] of Object.entries(expected)) {
    if (OTHER_FIELDS.includes(field)) continue;
    const check = checks[field];
    if (check === undefined) return `the adapter knows no field '${field}' of an expectation`;
    if (!check(wanted)) return `expected ${field} ${shorten(wanted)}, ${got()}`;
  }
  return undefined;
}

/** What differs from a reason for a failure, by meaning. */
export function judgeReason(reason: string, outcome: Outcome): string | undefined {
  const isRight = outcome.kind === 'error' && isForReason(outcome.error as Record<string, unknown>, outcome, reason);
  return isRight ? undefined : `expected the reason '${reason}', got ${describe(outcome)}`;
}

/** Reasons by meaning. */
function isForReason(error: Record<string, unknown>, outcome: Outcome, reason: string): boolean {
  if (reason === 'aborted') return error['name'] === 'AbortError' || (outcome.error as Error).name === 'AbortError';
  return error['kind'] === reason;
}

/** Only the paths of `pick`, those that are missing as null. */
function picked(value: unknown, { pick }: RecordedCase): unknown {
  if (pick === undefined) return value;
  return Object.fromEntries(pick.map((path) => [path, valueAt(value, path) ?? null]));
}

function equals(wanted: unknown, value: unknown, judgement: Judgement): boolean {
  if (isRows(judgement.recorded.op)) return equalRows(wanted, value);
  return isSame(wanted, value) || standsFor(wanted, value, judgement);
}

function isRows(op: string): boolean {
  return op === 'batch' || op === 'dispatch' || op === 'fanOut';
}

/** Rows are told by id and result; that one is missing or failed may be said in whatever way our API has. */
function equalRows(wanted: unknown, value: unknown): boolean {
  if (!Array.isArray(wanted) || !Array.isArray(value) || wanted.length !== value.length) return false;
  return wanted.every((row: Record<string, unknown>, index) => {
    const ours = value[index] as Record<string, unknown>;
    const error = ours['error'] instanceof Error ? ours['error'].message : ours['error'];
    const isErrorRight =
      typeof row['error'] === 'string' ? error === row['error'] : (row['error'] === true) === (error !== undefined);
    const isMissingRight = (row['missing'] === true) === (ours['missing'] === true);
    return (
      row['id'] === ours['id'] &&
      isErrorRight &&
      isMissingRight &&
      isSame(row['result'] ?? null, ours['result'] ?? null)
    );
  });
}

/** Equality of values as JSON has them: own keys, order of no account, prototypes not looked at, -0 as 0. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a === b || (Number.isNaN(a) && Number.isNaN(b));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.keys(a), Object.keys(b)];
  return (
    left.length === right.length &&
    left.every(
      (key) =>
        Object.hasOwn(b, key) && isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}

/** At least these fields with these values; lists with as many members. */
function matches(wanted: unknown, value: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return isSame(wanted, value);
  if (typeof value !== 'object' || value === null || Array.isArray(wanted) !== Array.isArray(value)) return false;
  if (Array.isArray(wanted) && wanted.length !== (value as unknown[]).length) return false;
  return Object.keys(wanted).every(
    (key) =>
      Object.hasOwn(value, key) &&
      matches((wanted as Record<string, unknown>)[key], (value as Record<string, unknown>)[key]),
  );
}

/**
 * O10, O58: in place of the root that PYTHONPATH shows, a directory of ours may stand that shows the same neighbours.
 * Whether it does is proved by the siblings that plugins import and by those that must not hide a standard module.
 */
function standsFor(wanted: unknown, value: unknown, { workspace }: Judgement): boolean {
  if (typeof wanted !== 'object' || wanted === null || typeof value !== 'object' || value === null) return false;
  const path = (value as Record<string, unknown>)['env.PYTHONPATH'];
  const root = (wanted as Record<string, unknown>)['env.PYTHONPATH'];
  const roots = [workspace.root, workspace.fill('${LINKROOT}')];
  if (typeof root !== 'string' || !roots.includes(root) || !isOneAbsolutePath(path)) return false;
  return isSame({ ...wanted, 'env.PYTHONPATH': path }, value);
}

function isOneAbsolutePath(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('/') && !value.includes(':');
}

/** The first letter of a text may be written small or large: it may stand at the beginning of a sentence. */
function includesLoosely(message: string, text: string): boolean {
  return message.toLowerCase().includes(text.toLowerCase());
}

function countReplacements(value: unknown): number {
  return String(value).split('\uFFFD').length - 1;
}

/** Every text within a value: messages, stacks, causes and fields of errors too. */
export function everything(value: unknown, seen: Set<unknown> = new Set()): string {
  if (typeof value !== 'object' || value === null) return `${String(value)}\n`;
  if (seen.has(value)) return '';
  seen.add(value);
  const own = Object.getOwnPropertyNames(value).map(
    (name) => `${name}\n${everything((value as Record<string, unknown>)[name], seen)}`,
  );
  return own.join('');
}

/** Diagnostics by meaning: a text of a case → the kind of ours, and what its message must name. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/batch reply to a single call/, 'batch-reply-to-single'],
  [/single reply to a batch call/, 'single-reply-to-batch'],
  [/ok is false and no error text/, 'not-ok-without-error'],
  [/reply is no JSON object/, 'reply-not-object'],
  [/results is no list/, 'results-not-list'],
  [/rows? missing/, 'rows-missing'],
  [/unknown id/, 'unknown-id'],
  [/duplicate id/, 'duplicate-id'],
  [/row is no object/, 'row-not-object'],
  [/required auth key (\S+) is not set/, 'auth-missing'],
  [/required sibling (\S+) is not installed/, 'sibling-missing'],
];

/** What is missing among the diagnostics, or undefined when the one that is meant was reported. */
export function judgeDiagnostic(meaning: string, outcome: Outcome): string | undefined {
  const known = MEANINGS.find(([pattern]) => pattern.test(meaning));
  if (known === undefined) return `the adapter knows no diagnostic '${meaning}'`;
  const [pattern, kind] = known;
  const named = pattern.exec(meaning)?.[1] ?? '';
  const isTold = ({ kind: told, message }: Diagnostic): boolean => told === kind && message.includes(named);
  if (outcome.diagnostics.some(isTold)) return undefined;
  return `expected the diagnostic '${meaning}', got ${shorten(outcome.diagnostics.map(({ message }) => message))}`;
}

/** Words of a validation text that carry no meaning of their own. */
const FILLERS = new Set([
  'is',
  'a',
  'an',
  'no',
  'not',
  'the',
  'it',
  'in',
  'put',
  'keys',
  'key',
  'unknown',
  'capabilities',
  'plain',
  'name',
]);

/** What validation does not say of a text: every word that means something must stand in one of its findings. */
export function judgeValidation(meaning: string, findings: readonly string[]): string | undefined {
  const said = findings.join('\n').toLowerCase();
  const words = meaning.toLowerCase().match(/[a-z0-9_-]+/g) ?? [];
  const silent = words.filter((word) => !FILLERS.has(word) && !said.includes(word));
  return findings.length > 0 && silent.length === 0
    ? undefined
    : `validation does not say '${meaning}': ${shorten(findings)}`;
}

/** An outcome in a few words. */
export function describe(outcome: Outcome): string {
  if (outcome.kind !== 'error') return `${outcome.kind} ${shorten(outcome.value)}`;
  const { name, message } = outcome.error as Error;
  return `error ${name}: ${shorten(message)}`;
}

export function shorten(value: unknown): string {
  const text =
    JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member)) ??
    'undefined';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

import { isDeepStrictEqual } from 'node:util';
import { decodeType } from '../../../src/formats/fidius/decode-type.ts';
import type { NamedTypeDescriptor, TypeDescriptor } from '../../../src/formats/fidius/descriptor.ts';
import { encoderOf } from '../../../src/formats/fidius/encode-type.ts';
import type { JsonObject } from '../../../src/plugin-spec.ts';
import type { PluginHandle } from '../../../src/doors/fidius.ts';
import { literalText, NumberLiteral, ordinary, parseLiterals, type Literal } from './literal-json.ts';
import { parseNeutral, sameLiteral } from './neutral.ts';
import { errorDifference, outcomeOf, type Normalise, type Outcome } from './outcome.ts';
import type { Calls, RecordedError, RecordedValue, StepResult } from './recorded.ts';
import { rustDebug } from './rust-debug.ts';

/** The recorder's own types, and the types that results were read as, as descriptors. */
export interface RecordedTypes {
  readonly types: Readonly<Record<string, NamedTypeDescriptor>>;
  readonly returns: ReadonlyMap<string, TypeDescriptor>;
}

/** A verdict: undefined passes, a text fails, `{ skipped }` does not apply. */
export type Verdict = string | undefined | { readonly skipped: string };

/** JSON text of arguments, items or configurations: what the recorder's host made of the value before it sent it. */
export function sentJson(value: RecordedValue, { types }: RecordedTypes, isUnary: boolean): string | undefined {
  if (value.json === undefined) return undefined;
  const rust = value.rust ?? '';
  const name = /\b([A-Z]\w*)::[A-Z]\w*/.exec(rust)?.[1] ?? '';
  if (isExternalEnum(types[name])) return literalText(asVariants(value.json, name, types));
  if (isUnary && rust.includes('f32') && Array.isArray(value.json)) return `[${value.json.map(shortest).join(',')}]`;
  return literalText(value.json);
}

/** `host_to_python`: what Python saw, word for word. */
export async function hostToPython(
  row: Calls['host_to_python'][number],
  handle: PluginHandle,
  context: { readonly types: RecordedTypes; readonly isStrict: boolean; readonly normalise: Normalise },
): Promise<Verdict> {
  const json = sentJson(row, context.types, true);
  if (json === undefined) return { skipped: 'the recorded value has no JSON form' };
  const outcome = await outcomeOf(() => handle.callTypedJson('see', json));
  if (row.err !== undefined) {
    // Integers of 128 bits, keys that are enums, deep lists: more is accepted here.
    if ('ok' in outcome) return context.isStrict && row.err.kind === 'Deserialization' ? 'accepted' : undefined;
    return errorDifference(outcome.err, row.err, context.normalise);
  }
  if ('err' in outcome) return `refused: ${outcome.err.message}`;
  const seen = String(JSON.parse(Buffer.from(outcome.ok).toString())).split('\u001f');
  const wanted = [row.python_args, row.python_types, row.float_hex ?? 'None', '{}'];
  if (isDeepStrictEqual(seen, wanted)) return undefined;
  // Without the original's sorting, dicts keep the caller's order.
  const isReordered = !context.isStrict && sortedText(seen.join()) === sortedText(wanted.join());
  return isReordered ? undefined : `saw ${JSON.stringify(seen)}, expected ${JSON.stringify(wanted)}`;
}

/** `python_to_rust`, the neutral value: exact in strict mode; otherwise equal, or a superset that loses nothing. */
export async function pythonToNeutral(
  row: Calls['python_to_rust'][number],
  handle: PluginHandle,
  { isStrict, normalise }: { readonly isStrict: boolean; readonly normalise: Normalise },
): Promise<Verdict> {
  const outcome = await outcomeOf(() => handle.callTypedJson(row.method, 'null'));
  const { neutral } = row;
  if (typeof neutral !== 'string') {
    if ('err' in outcome)
      return isStrict ? errorDifference(outcome.err, neutral, normalise) : sameKind(outcome, neutral);
    return !isStrict && isWholeInteger(outcome.ok) ? undefined : `returned ${Buffer.from(outcome.ok).toString()}`;
  }
  const theirs = parseNeutral(normalise(neutral));
  if ('err' in outcome) {
    // What the original turns into text is refused here.
    const isRefusedObject = !isStrict && typeof theirs === 'string' && outcome.err.code === 'RESULT_INVALID';
    return isRefusedObject ? undefined : `refused: ${outcome.err.message}`;
  }
  const ours = parseLiterals(normalise(Buffer.from(outcome.ok).toString()));
  if (sameLiteral(ours, theirs)) return undefined;
  return !isStrict && isFaithful(ours, theirs) ? undefined : `${literalText(ours)}, expected ${neutral}`;
}

/**
 * `python_to_rust`, the value as each Rust type. Where the original reads it, ours is the same in Rust's own notation;
 * where the original refuses, ours refuses too or gives exactly what Python returned.
 */
export async function pythonAsTypes(
  row: Calls['python_to_rust'][number],
  handle: PluginHandle,
  { types, returns }: RecordedTypes,
): Promise<Verdict> {
  const raw = await outcomeOf(() => handle.callMethod(row.method));
  const wrong: string[] = [];
  for (const [rust, type] of returns) {
    const recorded = row.as[rust] ?? row.as['*'];
    if (recorded === undefined || rust === 'serde_json::Value') continue;
    const theirs = 'ok' in recorded ? String(recorded.ok) : undefined;
    const reason = typeDifference({ raw, type, types, theirs, row });
    if (reason !== undefined) wrong.push(`${rust}: ${reason}`);
  }
  return wrong.length === 0 ? undefined : wrong.join('; ');
}

function typeDifference(input: {
  raw: Outcome<unknown>;
  type: TypeDescriptor;
  types: RecordedTypes['types'];
  theirs: string | undefined;
  row: Calls['python_to_rust'][number];
}): string | undefined {
  const { raw, type, types, theirs, row } = input;
  // Objects that the original turned into text are refused or kept as they are, whatever type is asked for.
  const isLostAsText = typeof row.neutral === 'string' && row.neutral.startsWith('String(') && !isText(raw);
  if (!('ok' in raw)) return theirs === undefined || isLostAsText ? undefined : `refused, expected ${theirs}`;
  let decoded: unknown;
  try {
    decoded = decodeType(type, raw.ok, { operation: row.method, types });
  } catch (error) {
    return theirs === undefined || isLostAsText ? undefined : `${String(error)}, expected ${theirs}`;
  }
  if (theirs !== undefined && !isLostAsText) {
    const shown = rustDebug(type, decoded, types);
    return shown === theirs ? undefined : `${shown}, expected ${theirs}`;
  }
  // Bytes-like objects are read as bytes are, by position where the type asks for that.
  if (isLostAsText && raw.ok instanceof Uint8Array) return undefined;
  return isDeepStrictEqual(canonical(decoded), canonical(raw.ok)) ? undefined : `changed ${JSON.stringify(decoded)}`;
}

/** A typed result of a step, in Rust's notation; a value that does not fit is an error on both sides. */
export function retDifference(
  json: Uint8Array,
  recorded: StepResult,
  { ret, types, isStrict }: { readonly ret: string; readonly types: RecordedTypes; readonly isStrict: boolean },
): string | undefined {
  const type = types.returns.get(ret) ?? 'any';
  try {
    const value = decodeType(type, ordinary(parseLiterals(Buffer.from(json).toString())), {
      operation: '',
      types: types.types,
    });
    const shown = rustDebug(type, value, types.types);
    // Without the original's sorting, dicts keep the caller's order.
    const isReordered = !isStrict && typeof recorded.ok === 'string' && sortedText(shown) === sortedText(recorded.ok);
    return shown === recorded.ok || isReordered ? undefined : `${shown}, expected ${JSON.stringify(recorded)}`;
  } catch (error) {
    return recorded.err === undefined ? String(error) : undefined;
  }
}

function isText(raw: Outcome<unknown>): boolean {
  return 'ok' in raw && typeof raw.ok === 'string';
}

function sameKind(outcome: { readonly err: { readonly code: string } }, recorded: RecordedError): string | undefined {
  return recorded.kind === 'Serialization' && outcome.err.code === 'RESULT_INVALID' ? undefined : outcome.err.code;
}

function isWholeInteger(json: Uint8Array): boolean {
  return /^-?\d+$/.test(Buffer.from(json).toString());
}

/** Ours loses nothing where the original did: integers beyond 64 bits, bytes-like objects, results of coroutines. */
function isFaithful(ours: Literal, theirs: Literal): boolean {
  if (ours instanceof NumberLiteral && theirs instanceof NumberLiteral) {
    return /^-?\d+$/.test(ours.text) && Number(ours.text) === Number(theirs.text);
  }
  if (typeof theirs !== 'string') return false;
  return /^(?:bytearray\(|<memory|array\()/.test(theirs) ? Array.isArray(ours) : theirs.startsWith('<coroutine');
}

/** Bytes as lists, absent as null, a unit variant as its name: the spellings of one value. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value);
  const [only] = entries;
  if (only?.[1] === null && entries.length === 1) return only[0];
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item)]));
}

function isExternalEnum(declared: NamedTypeDescriptor | undefined): boolean {
  const type = declared as JsonObject | undefined;
  return type !== undefined && 'enum' in type && !('tag' in type) && !('untagged' in type);
}

/** Enums as a typed client sends them: for arguments and items a unit variant becomes a dict. */
function asVariants(json: Literal, name: string, types: RecordedTypes['types']): Literal {
  const encode = encoderOf({ named: name }, types) ?? ((value: unknown) => value);
  const visit = (value: Literal): Literal =>
    Array.isArray(value) ? (value as readonly Literal[]).map(visit) : (encode(value) as Literal);
  return visit(json);
}

function shortest(value: Literal): string {
  if (!(value instanceof NumberLiteral)) return literalText(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = Number(value.text).toPrecision(digits);
    if (Math.fround(Number(text)) === Number(value.text)) return /[.e]/.test(text) ? text : `${text}.0`;
  }
  return value.text;
}

function sortedText(text: string): string {
  return Array.from(text).sort().join('');
}

/**
 * Between the values of media pipelines and what carries them.
 *
 * - `parseRuntimeData`: whatever a caller gives → `RuntimeData`.
 * - `encodeRuntimeData` / `decodeRuntimeData`: `RuntimeData` ↔ the dict of the wire (snake case, samples as bytes).
 * - `plainRuntimeData`: `RuntimeData` → what a function of another format takes.
 */
import { CallError } from './errors.ts';
import type { RuntimeData } from './runtime-data.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** One field of one kind: its name here, whether it must be there, and what it must be. */
interface FieldRule {
  readonly name: string;
  readonly snake: string;
  readonly isRequired: boolean;
  readonly expected: string;
  readonly check: Check;
}

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isFlag: Check = (value) => typeof value === 'boolean';
const isBytes: Check = (value) => value instanceof Uint8Array;
const isShape: Check = (value) => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && Number(n) >= 0);
const isFields: Check = (value) => isObject(value);
const isAnything: Check = () => true;

const required = (name: string, expected: string, check: Check): FieldRule => ({
  name,
  snake: snakeCase(name),
  isRequired: true,
  expected,
  check,
});
const optional = (name: string, expected: string, check: Check): FieldRule => ({
  ...required(name, expected, check),
  isRequired: false,
});

const PICTURE = [
  required('data', 'bytes', isBytes),
  required('width', 'a number', isNumber),
  required('height', 'a number', isNumber),
  required('format', 'a string', isText),
];
const ARRAY = [
  required('data', 'bytes', isBytes),
  required('shape', 'a list of sizes', isShape),
  required('dtype', 'a string', isText),
];

/** The fields of every kind, in camel case and in the order in which they are written. */
const KINDS: Readonly<Record<RuntimeData['type'], readonly FieldRule[]>> = {
  text: [
    required('data', 'a string', isText),
    optional('channel', 'a string', isText),
    optional('language', 'a string', isText),
  ],
  audio: [
    required('samples', 'a Float32Array, float32 bytes or a list of numbers', isSamples),
    required('sampleRate', 'a positive number of Hz', (value) => isNumber(value) && Number(value) > 0),
    required('channels', 'a positive whole number', (value) => Number.isSafeInteger(value) && Number(value) > 0),
  ],
  json: [required('value', 'a JSON value', isAnything)],
  binary: [required('data', 'bytes', isBytes)],
  tensor: [...ARRAY, optional('extras', 'a JSON value', isAnything)],
  numpy: ARRAY,
  video: [
    ...PICTURE,
    optional('fps', 'a number', isNumber),
    optional('codec', 'a string', isText),
    optional('frameNumber', 'a number', isNumber),
    optional('isKeyframe', 'a boolean', isFlag),
  ],
  image: PICTURE,
  file: [
    required('path', 'a string', isText),
    optional('filename', 'a string', isText),
    optional('mimeType', 'a string', isText),
    optional('size', 'a number', isNumber),
    optional('offset', 'a number', isNumber),
    optional('length', 'a number', isNumber),
    optional('streamId', 'a string', isText),
  ],
  control: [
    required('messageType', 'a string', isText),
    optional('segmentId', 'a string', isText),
    optional('timestampMs', 'a number', isNumber),
    optional('metadata', 'a JSON value', isAnything),
    optional('fields', 'an object', isFields),
  ],
};
const EXTRAS = [optional('annotations', 'an object', isFields), optional('session', 'a string', isText)];

/** What a bare audio input gets where the original's callers leave it out. */
const DEFAULT_CHANNELS = 1;

/**
 * Turns what a caller gives into a `RuntimeData`: a string is text, bytes are binary, an object whose `type` is a known
 * kind (camel or snake case) is that kind, any other JSON value is json. Typed arrays are kept, not copied.
 *
 * @throws CallError `ARGUMENT_INVALID` that names the field
 */
export function parseRuntimeData(value: unknown): RuntimeData {
  if (typeof value === 'string') return { type: 'text', data: value };
  if (value instanceof Uint8Array) return { type: 'binary', data: value };
  if (value instanceof ArrayBuffer) return { type: 'binary', data: new Uint8Array(value) };
  if (value instanceof Float32Array) {
    throw invalid(
      "A bare Float32Array has no sample rate, { type: 'audio', samples, sampleRate, channels } is expected",
    );
  }
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') {
    throw invalid(
      `A value of type '${typeof value}' cannot travel through a pipeline, text, bytes, JSON or a tagged object is expected`,
    );
  }
  if (isObject(value) && typeof value['type'] === 'string' && isKind(value['type']))
    return parseKind(value['type'], value);
  return { type: 'json', value };
}

/** The dict of the wire: field names in snake case, samples as float32 little-endian bytes. Nothing is copied. */
export function encodeRuntimeData(data: RuntimeData): Record<string, unknown> {
  const dict: Record<string, unknown> = { type: data.type };
  for (const { name, snake } of KINDS[data.type]) {
    const value: unknown = Reflect.get(data, name);
    if (value !== undefined) dict[snake] = value instanceof Float32Array ? bytesOf(value) : value;
  }
  if (data.annotations !== undefined) dict['annotations'] = data.annotations;
  if (data.session !== undefined) dict['session'] = data.session;
  return dict;
}

/**
 * Reads a dict of the wire.
 *
 * @throws CallError `RESULT_INVALID` for anything that is no such dict
 */
export function decodeRuntimeData(value: unknown): RuntimeData {
  if (isObject(value)) {
    const kind = value['type'];
    if (typeof kind === 'string' && isKind(kind)) {
      // The two kinds of almost every frame, without the walk over the table.
      if (kind === 'text' && Object.keys(value).length === 2 && typeof value['data'] === 'string') {
        return { type: 'text', data: value['data'] };
      }
      try {
        return parseKind(kind, value);
      } catch (cause) {
        throw new CallError('RESULT_INVALID', `An output of kind '${kind}' cannot be read`, { cause });
      }
    }
  }
  throw new CallError('RESULT_INVALID', 'An output is no value of a pipeline, an object with a known type is expected');
}

/** What a plain function takes: the text, the JSON value, the bytes; other kinds as their dict of the wire. */
export function plainRuntimeData(data: RuntimeData): unknown {
  if (data.type === 'text' || data.type === 'binary') return data.data;
  if (data.type === 'json') return data.value;
  return encodeRuntimeData(data);
}

/** Whether a word names a kind of value. */
export function isKind(word: string): word is RuntimeData['type'] {
  return Object.hasOwn(KINDS, word);
}

function parseKind(kind: RuntimeData['type'], given: Fields): RuntimeData {
  const data: Record<string, unknown> = { type: kind };
  for (const rule of [...KINDS[kind], ...EXTRAS]) {
    const value = fieldValue(kind, rule, given);
    if (value === undefined) {
      if (rule.isRequired) throw missing(kind, rule);
      continue;
    }
    if (!rule.check(value)) {
      throw invalid(
        `Field '${rule.name}' of a value of kind '${kind}' is ${describe(value)}, ${rule.expected} is expected`,
      );
    }
    data[rule.name] = rule.name === 'samples' ? samplesOf(value) : value;
  }
  // Every field has just been checked against the table above, which says what the type says.
  const checked: unknown = data;
  return checked as RuntimeData;
}

/** A field by either of its names; null counts as absent, except for the value of json, which may be null. */
function fieldValue(kind: string, rule: FieldRule, given: Fields): unknown {
  const value = given[rule.name] ?? given[rule.snake];
  if (value !== undefined && value !== null) return value;
  if (kind === 'json' && rule.isRequired && rule.name in given) return null;
  return kind === 'audio' && rule.name === 'channels' ? DEFAULT_CHANNELS : undefined;
}

function missing(kind: string, rule: FieldRule): CallError {
  return invalid(`A value of kind '${kind}' has no '${rule.name}', ${rule.expected} is expected`);
}

function isSamples(value: unknown): boolean {
  if (value instanceof Float32Array) return true;
  if (value instanceof Uint8Array) return value.byteLength % 4 === 0;
  return Array.isArray(value) && value.every((sample) => typeof sample === 'number');
}

function samplesOf(value: unknown): Float32Array {
  if (value instanceof Float32Array) return value;
  if (Array.isArray(value)) return Float32Array.from(value as number[]);
  if (!(value instanceof Uint8Array)) throw invalid('Samples are neither numbers nor bytes');
  if (value.byteOffset % 4 === 0) return new Float32Array(value.buffer, value.byteOffset, value.byteLength / 4);
  return new Float32Array(Uint8Array.from(value).buffer);
}

function bytesOf(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** `sampleRate` → `sample_rate`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (ArrayBuffer.isView(value)) return 'bytes';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} '${String(value).slice(0, 40)}'`;
}

function invalid(message: string): CallError {
  return new CallError('ARGUMENT_INVALID', message);
}

/** Values in and out of the JSON of a frame: what JSON cannot hold becomes a tag, bytes become attachments. */
import { CallError, ProtocolError } from '../../errors.ts';

/** Deeper values are refused, so that no parser is ever driven into its own limits. */
const MAX_DEPTH = 200;

const FLOATS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity, '-0.0': -0 };

/** The JSON of a value, and the bytes that its tags point at, in order. */
export interface TaggedValue {
  readonly text: string;
  readonly attachments: readonly Uint8Array[];
}

/** @throws CallError `RESULT_INVALID` for what cannot cross */
export function encodeValue(value: unknown): TaggedValue {
  const attachments: Uint8Array[] = [];
  let start = 0;
  const attach = (bytes: Uint8Array): unknown => {
    attachments.push(bytes);
    start += bytes.byteLength;
    return { $bytes: [start - bytes.byteLength, bytes.byteLength] };
  };
  return { text: JSON.stringify(tag(value, attach, 0)) ?? 'null', attachments };
}

/**
 * The value of a frame's JSON. Bytes are views of `attachments`, not copies.
 *
 * @throws ProtocolError `FRAME_MALFORMED`
 */
export function decodeValue(text: string, attachments: Uint8Array): unknown {
  const value = parse(text);
  // A tag and a doubled key both show in the text; most messages have neither.
  return text.includes('"$') ? untag(value, attachments) : value;
}

function tag(value: unknown, attach: (bytes: Uint8Array) => unknown, depth: number): unknown {
  if (typeof value === 'number') return tagNumber(value);
  if (typeof value === 'bigint') return { $int: value.toString() };
  if (typeof value === 'function' || typeof value === 'symbol') throw refusal(typeof value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return attach(value);
  if (ArrayBuffer.isView(value)) return attach(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (depth >= MAX_DEPTH) throw refusal(`a value nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((item) => tag(item, attach, depth + 1));
  const entries = Object.entries(value).map(([key, member]) => [escaped(key), tag(member, attach, depth + 1)] as const);
  return Object.fromEntries(entries);
}

function tagNumber(value: number): unknown {
  if (Object.is(value, -0)) return { $float: '-0.0' };
  if (Number.isFinite(value)) return value;
  return { $float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
}

function escaped(key: string): string {
  return key.startsWith('$') ? `$${key}` : key;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed('its text is no JSON', cause);
  }
}

function untag(value: unknown, attachments: Uint8Array): unknown {
  if (Array.isArray(value)) return value.map((item) => untag(item, attachments));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && /^\$(?!\$)/u.test(first[0])) return untagOne(first, attachments);
  return Object.fromEntries(
    entries.map(([key, member]) => [key.startsWith('$$') ? key.slice(1) : key, untag(member, attachments)]),
  );
}

function untagOne([key, content]: readonly [string, unknown], attachments: Uint8Array): unknown {
  if (key === '$bytes' && isSpan(content, attachments.byteLength)) {
    return attachments.subarray(content[0], content[0] + content[1]);
  }
  if (key === '$int' && typeof content === 'string' && /^-?\d+$/u.test(content)) return BigInt(content);
  if (key === '$float' && typeof content === 'string' && Object.hasOwn(FLOATS, content)) return FLOATS[content];
  throw malformed(`'${key}' is no tag, or its content is not what it should be`);
}

function isSpan(content: unknown, size: number): content is [number, number] {
  if (!Array.isArray(content) || content.length !== 2) return false;
  const [start, length] = content as readonly unknown[];
  return (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(length) &&
    Number(start) >= 0 &&
    Number(length) >= 0 &&
    Number(start) + Number(length) <= size
  );
}

function refusal(what: string): CallError {
  return new CallError('RESULT_INVALID', `A ${what} cannot cross to the client, JSON values and bytes are expected`);
}

function malformed(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError('FRAME_MALFORMED', `A frame of the client cannot be read: ${what}`, { cause });
}

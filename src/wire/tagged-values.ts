import { CallError } from '../errors.ts';
import { asData, DATA, isData, MAX_DEPTH, STREAM_PLACE } from './data-object.ts';
import { parseJson } from './json.ts';
import { ATTACHED, TAGGED } from './messages.ts';

/** A payload ready to be written: text, or the parts of one. */
export type Payload =
  { readonly flags: number; readonly text: string } | { readonly flags: number; readonly parts: readonly Uint8Array[] };

/**
 * A value as JSON with tags, its bytes as attachments.
 * @throws CallError `ARGUMENT_INVALID`
 */
export function encodeTagged(value: unknown, path: string): Payload {
  const walk: EncodingWalk = { path, steps: [], open: new Set(), attachments: [] };
  const text = JSON.stringify(tag(value, walk)) ?? 'null';
  if (walk.attachments.length === 0) return { flags: TAGGED, text };
  const json = Buffer.from(text, 'utf8');
  const head = Buffer.allocUnsafe(8 + 4 * walk.attachments.length);
  let at = head.writeUInt32LE(walk.attachments.length, 0);
  for (const attachment of walk.attachments) at = head.writeUInt32LE(attachment.length, at);
  head.writeUInt32LE(json.length, at);
  return { flags: TAGGED | ATTACHED, parts: [head, json, ...walk.attachments] };
}

/**
 * The value of a payload whose flags say TAGGED or ATTACHED.
 * @throws SyntaxError
 */
export function decodeTagged(bytes: Buffer, flags: number, isOwn: boolean): unknown {
  if ((flags & ATTACHED) === 0) return untag(parseJson(bytes.toString('utf8')), []);
  const { text, attachments } = detach(bytes, isOwn);
  const value = parseJson(text);
  return (flags & TAGGED) === 0 ? value : untag(value, attachments);
}

/** A `Uint8Array` that is no Buffer: a view where `bytes` may be kept, else a copy. */
export function plainBytes(bytes: Uint8Array, isOwn: boolean): Uint8Array {
  return isOwn ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
}

/** One walk over a value. `steps` is the way to where it stands. */
interface EncodingWalk {
  readonly path: string;
  readonly steps: string[];
  readonly open: Set<object>;
  readonly attachments: Uint8Array[];
}

function tag(value: unknown, walk: EncodingWalk): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      return tagNumber(value);
    case 'bigint':
      return { $int: value.toString() };
    case 'object':
      return value === null ? null : tagObject(value, walk);
    case 'symbol':
      if (value === STREAM_PLACE) return { $stream: 0 };
      throw refusal(value, walk);
    default:
      throw refusal(value, walk);
  }
}

function tagNumber(value: number): unknown {
  if (Object.is(value, -0)) return { $float: '-0.0' };
  if (Number.isFinite(value)) return value;
  return { $float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
}

function tagObject(value: object, walk: EncodingWalk): unknown {
  if (value instanceof Uint8Array) {
    walk.attachments.push(value);
    return { $bytes: walk.attachments.length - 1 };
  }
  if (walk.open.has(value)) throw argumentInvalid(`Value at '${place(walk)}' contains itself, expected a tree`);
  if (walk.open.size >= MAX_DEPTH) {
    const start = walk.path + walk.steps.slice(0, 3).join('');
    throw argumentInvalid(`Value at '${start}…' nests deeper than ${MAX_DEPTH} levels`);
  }
  walk.open.add(value);
  const result = Array.isArray(value) ? tagArray(value, walk) : tagMembers(value, walk);
  walk.open.delete(value);
  return result;
}

function tagArray(items: readonly unknown[], walk: EncodingWalk): unknown[] {
  const result: unknown[] = [];
  for (let index = 0; index < items.length; index++) {
    walk.steps.push(`[${index}]`);
    result.push(tag(items[index], walk));
    walk.steps.pop();
  }
  return result;
}

function tagMembers(value: object, walk: EncodingWalk): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refusal(value, walk);
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    walk.steps.push(`.${key}`);
    define(result, key.startsWith('$') ? `$${key}` : key, tag(member, walk));
    walk.steps.pop();
  }
  return isData(value) ? { $data: result } : result;
}

function place(walk: EncodingWalk): string {
  return walk.path + walk.steps.join('');
}

function refusal(value: unknown, walk: EncodingWalk): CallError {
  const name = typeof value === 'object' ? (value?.constructor.name ?? 'object') : typeof value;
  return argumentInvalid(`'${place(walk)}' is of type '${name}', expected a JSON value, bigint or Uint8Array`);
}

function detach(bytes: Buffer, isOwn: boolean): { text: string; attachments: Uint8Array[] } {
  const size = bytes.length;
  const count = size >= 4 ? bytes.readUInt32LE(0) : size;
  if (4 * count + 8 > size) throw new SyntaxError('Payload is shorter than its table of attachments');
  const jsonStart = 4 * count + 8;
  let at = jsonStart + bytes.readUInt32LE(jsonStart - 4);
  const text = bytes.toString('utf8', jsonStart, at);
  const attachments: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const length = bytes.readUInt32LE(4 + 4 * index);
    if (at + length > size) throw new SyntaxError('Attachments are longer than the payload');
    attachments.push(plainBytes(bytes.subarray(at, at + length), isOwn));
    at += length;
  }
  if (at !== size) throw new SyntaxError('Attachments do not add up to the payload');
  return { text, attachments };
}

function untag(value: unknown, attachments: readonly Uint8Array[]): unknown {
  if (Array.isArray(value)) return value.map((item) => untag(item, attachments));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && first[0].startsWith('$') && !first[0].startsWith('$$')) {
    return untagOne(first, attachments);
  }
  const result: Record<string, unknown> = {};
  for (const [key, member] of entries) {
    define(result, key.startsWith('$$') ? key.slice(1) : key, untag(member, attachments));
  }
  return result;
}

function untagOne([key, content]: readonly [string, unknown], attachments: readonly Uint8Array[]): unknown {
  if (key === '$bytes' && typeof content === 'number') {
    const attachment = attachments[content];
    if (attachment !== undefined) return attachment;
  } else if (key === '$int' && typeof content === 'string' && /^-?\d+$/.test(content)) {
    return BigInt(content);
  } else if (key === '$float' && typeof content === 'string' && Object.hasOwn(FLOATS, content)) {
    return FLOATS[content];
  } else if (key === '$data' && typeof content === 'object' && content !== null && 'type' in content) {
    const fields = untag(content, attachments);
    if (isFields(fields)) return asData(fields);
  }
  throw new SyntaxError(`'${key}' is no tag, or its content is not what it should be`);
}

const FLOATS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity, '-0.0': -0 };

function isFields(value: unknown): value is Record<string, unknown> & { type: string } {
  return (
    typeof value === 'object' && value !== null && !(DATA in value) && 'type' in value && typeof value.type === 'string'
  );
}

/** Sets a member, also where its name is `__proto__`. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

function argumentInvalid(message: string): CallError {
  return new CallError('ARGUMENT_INVALID', message, {
    hint: 'Pass JSON values, bytes (Uint8Array) or integers as bigint; turn other objects into these first.',
  });
}

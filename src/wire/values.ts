/**
 * Values to and from payloads. An ordinary value is one walk that finds nothing special and one `JSON.stringify`; only a
 * value that JSON cannot hold is rebuilt with tags.
 */
import { DATA, MAX_DEPTH } from './data-object.ts';
import { parseJson } from './json.ts';
import { ATTACHED, RAW, TAGGED } from './messages.ts';
import { decodeTagged, encodeTagged, type Payload, plainBytes } from './tagged-values.ts';

export { asData, DATA, type DataObject, isData } from './data-object.ts';
export type { Payload } from './tagged-values.ts';

/**
 * @param path Name of the value in messages, for example `arguments`
 * @throws CallError `ARGUMENT_INVALID` naming the place and the type of what cannot cross
 */
export function encodeValue(value: unknown, path: string): Payload {
  if (isPlain(value, 0)) return { flags: 0, text: JSON.stringify(value) ?? 'null' };
  return encodeTagged(value, path);
}

/** JSON text of a value that needs no tags, else undefined. */
export function encodePlain(value: unknown): string | undefined {
  return isPlain(value, 0) ? (JSON.stringify(value) ?? 'null') : undefined;
}

/**
 * The value of a payload.
 * @param isOwn Whether `bytes` may be kept: bytes values are then views of it, else copies
 * @throws SyntaxError when the payload is not what its flags say
 */
export function decodeValue(bytes: Buffer, flags: number, isOwn: boolean): unknown {
  if ((flags & (RAW | ATTACHED)) === RAW) return plainBytes(bytes, isOwn);
  if ((flags & (TAGGED | ATTACHED)) !== 0) return decodeTagged(bytes, flags, isOwn);
  return parseJson(bytes.toString('utf8'));
}

/** Whether `JSON.stringify` writes the value as it is meant. False sends it to the encoder that knows why not. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      // Zero with a sign, NaN and the infinities are what JSON loses.
      return value === 0 ? !Object.is(value, -0) : value - value === 0;
    case 'object':
      return value === null || (depth < MAX_DEPTH && isPlainContainer(value, depth + 1));
    default:
      return false;
  }
}

function isPlainContainer(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!isPlain(value[index], depth)) return false;
    }
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || DATA in value) return false;
  for (const key in value) {
    if (!isPlain((value as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
}

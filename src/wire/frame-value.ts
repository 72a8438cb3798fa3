import { ProtocolError } from '../errors.ts';
import type { Frame } from './frame-decoder.ts';
import { parseJson } from './json.ts';
import { ATTACHED, RAW, TAGGED } from './messages.ts';
import { decodeValue, type Payload } from './values.ts';

/**
 * The value of a frame's payload.
 * @throws SyntaxError when the payload is not what its flags say
 */
export function valueOf(frame: Frame): unknown {
  if (!frame.isOwn && (frame.flags & (TAGGED | ATTACHED | RAW)) === 0) {
    return parseJson(frame.bytes.toString('utf8', frame.start, frame.end));
  }
  return decodeValue(frame.bytes.subarray(frame.start, frame.end), frame.flags, frame.isOwn);
}

/** The items and the payload bytes that a credit frame allows. */
export function creditOf(frame: Frame): readonly [number, number] {
  if (frame.end - frame.start !== 8) throw new ProtocolError('FRAME_MALFORMED', 'Credit is not two numbers');
  return [frame.bytes.readUInt32LE(frame.start), frame.bytes.readUInt32LE(frame.start + 4)];
}

/** Bytes of a payload, or 0 when it is certainly below the limit. */
export function payloadBytes(payload: Payload, limit: number): number {
  if ('text' in payload) return 3 * payload.text.length <= limit ? 0 : Buffer.byteLength(payload.text);
  return payload.parts.reduce((sum, part) => sum + part.length, 0);
}

/** Frames of the protocol in and out of bytes; what they mean is known elsewhere. */
import { ProtocolError } from '../../errors.ts';
import { decodeValue, encodeValue } from './values.ts';

/** One message of either side. */
export interface Message {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** Bytes of both lengths at the head of a frame. */
const HEAD_BYTES = 8;
/** A larger frame is taken for garbage rather than waited for, in bytes: 512 MiB. */
const MAX_FRAME_BYTES = 2 ** 29;

/** The parts of a frame, to be written one after the other. */
export function encodeFrame(message: Message): { readonly parts: readonly Uint8Array[]; readonly byteLength: number } {
  const { text, attachments } = encodeValue(message);
  const json = Buffer.from(text, 'utf8');
  const rest = attachments.reduce((sum, bytes) => sum + bytes.byteLength, 4 + json.length);
  const head = Buffer.allocUnsafe(HEAD_BYTES + json.length);
  head.writeUInt32LE(rest, 0);
  head.writeUInt32LE(json.length, 4);
  json.copy(head, HEAD_BYTES);
  return { parts: [head, ...attachments], byteLength: 4 + rest };
}

/** Cuts a stream of chunks into messages. Chunks are joined once per frame. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** Bytes that the frame under way needs; its head first. */
  #needed = HEAD_BYTES;

  /**
   * The messages that a chunk completes.
   *
   * @throws ProtocolError `FRAME_TOO_LARGE`, `FRAME_MALFORMED`
   */
  *push(chunk: Uint8Array): Generator<Message, void, undefined> {
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    while (this.#size >= this.#needed) {
      const bytes = this.#joined();
      const total = 4 + bytes.readUInt32LE(0);
      if (total > MAX_FRAME_BYTES) {
        const message = `A frame of the client claims ${total} bytes, at most ${MAX_FRAME_BYTES} are expected`;
        throw new ProtocolError('FRAME_TOO_LARGE', message);
      }
      this.#needed = Math.max(total, HEAD_BYTES);
      if (bytes.length < this.#needed) return;
      this.#chunks = bytes.length > this.#needed ? [bytes.subarray(this.#needed)] : [];
      this.#size = bytes.length - this.#needed;
      const frame = bytes.subarray(0, this.#needed);
      this.#needed = HEAD_BYTES;
      yield parseMessage(frame);
    }
  }

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.#size > 0;
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    const bytes =
      this.#chunks.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [bytes];
    return bytes;
  }
}

function parseMessage(frame: Buffer): Message {
  const jsonEnd = HEAD_BYTES + frame.readUInt32LE(4);
  if (jsonEnd > frame.length) {
    throw new ProtocolError('FRAME_MALFORMED', 'A frame of the client is shorter than its text');
  }
  const value = decodeValue(frame.toString('utf8', HEAD_BYTES, jsonEnd), frame.subarray(jsonEnd));
  if (isMessage(value)) return value;
  throw new ProtocolError(
    'FRAME_MALFORMED',
    "A frame of the client holds no message, an object with a 'kind' is expected",
  );
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

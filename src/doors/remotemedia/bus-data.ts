/** Values of the control bus, by the original's names (spec 8.3). */
import { CallError } from '../../errors.ts';
import type { RuntimeData } from '../../index.ts';
import { encodeRuntimeData, parseRuntimeData } from '../../runtime-codec.ts';

/** One value on the bus. A getter of another kind than the value's throws. */
export class Data {
  /** The value itself. */
  readonly value: RuntimeData;

  constructor(value: RuntimeData) {
    this.value = value;
  }

  static fromText(text: string): Data {
    return new Data({ type: 'text', data: text });
  }

  /** Any JSON value; it stays json on its way. */
  static fromJson(value: unknown): Data {
    return new Data({ type: 'json', value });
  }

  static fromBytes(bytes: Uint8Array): Data {
    return new Data({ type: 'binary', data: bytes });
  }

  /** @param samples Interleaved float32. */
  static fromAudio(samples: Float32Array | Uint8Array, sampleRate: number, channels = 1): Data {
    return new Data(parseRuntimeData({ type: 'audio', samples, sampleRate, channels }));
  }

  get kind(): RuntimeData['type'] {
    return this.value.type;
  }

  get textValue(): string {
    return this.#of('text').data;
  }

  get jsonValue(): unknown {
    return this.#of('json').value;
  }

  /** The samples as bytes, float32 little-endian. */
  get audioBuffer(): Buffer {
    const { samples } = this.#of('audio');
    return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  }

  /** Whatever it is, as bytes: a text in UTF-8, json as its text, other kinds as they are. */
  asBuffer(): Buffer {
    if (this.value.type === 'text') return Buffer.from(this.value.data);
    if (this.value.type === 'json') return Buffer.from(JSON.stringify(this.value.value) ?? 'null');
    if (this.value.type === 'audio') return this.audioBuffer;
    const { data } = encodeRuntimeData(this.value);
    if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    throw this.#wrongKind('bytes');
  }

  #of<Kind extends RuntimeData['type']>(kind: Kind): Extract<RuntimeData, { type: Kind }> {
    if (isKind(this.value, kind)) return this.value;
    throw this.#wrongKind(kind);
  }

  #wrongKind(kind: string): CallError {
    return new CallError('ARGUMENT_INVALID', `The value is of kind '${this.kind}', '${kind}' was asked for`);
  }
}

function isKind<Kind extends RuntimeData['type']>(
  value: RuntimeData,
  kind: Kind,
): value is Extract<RuntimeData, { type: Kind }> {
  return value.type === kind;
}

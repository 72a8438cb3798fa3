/** The factories of the original's Node package: they make our plain values (spec 8.2). */
import { CallError } from '../../errors.ts';
import type { RuntimeData } from '../../index.ts';
import { parseRuntimeData } from '../../runtime-codec.ts';

/** Makers of values, by the original's names. */
export const NapiRuntimeData: {
  /** @param samples Interleaved float32: an array of numbers, a `Float32Array`, or its bytes. */
  audio(samples: Uint8Array | Float32Array | readonly number[], sampleRate: number, channels?: number): RuntimeData;
  text(text: string): RuntimeData;
  binary(bytes: Uint8Array): RuntimeData;
  /** @param json JSON text, as in the original. */
  json(json: string): RuntimeData;
  video(fields: Omit<Extract<RuntimeData, { type: 'video' }>, 'type'>): RuntimeData;
  tensor(fields: Omit<Extract<RuntimeData, { type: 'tensor' }>, 'type'>): RuntimeData;
  file(path: string, fields?: Omit<Extract<RuntimeData, { type: 'file' }>, 'type' | 'path'>): RuntimeData;
} = {
  audio: (samples, sampleRate, channels = 1) => parseRuntimeData({ type: 'audio', samples, sampleRate, channels }),
  text: (data) => ({ type: 'text', data }),
  binary: (data) => ({ type: 'binary', data }),
  json: (json) => ({ type: 'json', value: parseJson(json) }),
  video: (fields) => parseRuntimeData({ ...fields, type: 'video' }),
  tensor: (fields) => parseRuntimeData({ ...fields, type: 'tensor' }),
  file: (path, fields = {}) => ({ ...fields, type: 'file', path }),
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CallError('ARGUMENT_INVALID', 'The text given to json() is no JSON', { cause });
  }
}

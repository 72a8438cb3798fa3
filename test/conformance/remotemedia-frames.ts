/** Frames as the fixtures write them ↔ values of ours. */
import { createHash } from 'node:crypto';

import type { RuntimeData } from '../../src/index.ts';

/** A frame of a fixture. */
export type Frame = Readonly<Record<string, unknown>>;

const TENSOR_TYPES = ['f32', 'f32', 'f64', 'i32', 'i64', 'u8', 'u16'];
const VIDEO_FORMATS = ['rgb', 'rgb', 'rgba', 'yuv420', 'yuv422', 'yuv444', 'bgr'];
const CODECS = [undefined, 'vp8', 'h264', 'av1'];

/** The value that an input stands for; undefined where no host of ours can send it. */
export function inputOf(frame: Frame): RuntimeData | undefined {
  const value = plainInput(frame);
  return value === undefined || frame['session'] === undefined
    ? value
    : { ...value, session: String(frame['session']) };
}

function plainInput(frame: Frame): RuntimeData | undefined {
  switch (frame['kind']) {
    case 'text':
      return {
        type: 'text',
        data: textOf(frame),
        ...(frame['channel'] === undefined ? {} : { channel: String(frame['channel']) }),
      };
    case 'audio':
      return {
        ...{ type: 'audio', sampleRate: Number(frame['sample_rate']), channels: Number(frame['channels']) },
        samples: samplesOf(frame),
        ...(frame['annotations'] === undefined ? {} : { annotations: frame['annotations'] as Record<string, unknown> }),
      };
    case 'tensor':
      return {
        ...{ type: 'tensor', shape: frame['shape'] as number[], data: Buffer.from(String(frame['data_hex']), 'hex') },
        dtype: TENSOR_TYPES[Number(frame['dtype'])] ?? 'f32',
        ...(frame['extras'] === undefined ? {} : { extras: frame['extras'] }),
      };
    case 'video':
      return videoOf(frame);
    case 'file':
      return fileOf(frame);
    case 'json':
      return { type: 'json', value: frame['json'] };
    case 'control':
      return controlOf(frame['json'] as Frame);
    case 'raw':
      return frame['type'] === 6 ? numpyOf(Buffer.from(String(frame['payload_hex']), 'hex')) : undefined;
    default:
      return undefined;
  }
}

/** The text of an input: as written, or a piece repeated. */
export function textOf(frame: Frame): string {
  const repeat = frame['repeat'] as [string, number] | undefined;
  return repeat === undefined ? String(frame['text']) : repeat[0].repeat(repeat[1]);
}

/** The fault of an output, or undefined when it is the expected frame. Sessions are compared elsewhere. */
export function judgeFrame(expected: Frame, data: RuntimeData): string | undefined {
  const got = shown(data);
  const { session: _, utf8, ...rest } = expected;
  const wanted: Record<string, unknown> =
    utf8 === undefined ? { ...rest } : { ...rest, value: JSON.parse(String(utf8)) };
  for (const [field, value] of Object.entries(wanted)) {
    if (!matches(field, value, got))
      return `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got).slice(0, 400)}`;
  }
  const isTagged = got['channel'] !== undefined && wanted['channel'] === undefined;
  return isTagged ? `did not expect channel '${String(got['channel'])}'` : undefined;
}

function matches(field: string, wanted: unknown, got: Readonly<Record<string, unknown>>): boolean {
  const found = got[field];
  if (wanted === null) return found === null || found === undefined;
  if (field === 'channel') {
    if (typeof wanted === 'object') return Buffer.byteLength(String(found)) === (wanted as { bytes: number }).bytes;
    return (found ?? 'tts') === wanted;
  }
  if (field === 'characters') return Array.from(String(got['text'])).length === wanted;
  if (field === 'sha256') return sha256(String(got['text'])) === wanted;
  if (field === 'f32' || field === 'data') return isSameBytes(wanted as Frame, got['bytes'] as Buffer);
  if (field === 'hex') return (got['bytes'] as Buffer).toString('hex') === wanted;
  if (field === 'annotations' || field === 'extras') return JSON.stringify(found) === JSON.stringify(wanted);
  if (['filename', 'mime_type', 'stream_id'].includes(field)) return (found ?? '') === wanted;
  if (['size', 'offset', 'length'].includes(field)) return (found ?? 0) === wanted;
  return JSON.stringify(found) === JSON.stringify(wanted);
}

/** Our value in the words of the fixtures. */
function shown(data: RuntimeData): Record<string, unknown> {
  switch (data.type) {
    case 'text':
      return { kind: 'text', text: data.data, channel: data.channel, language: data.language };
    case 'audio':
      return {
        ...{ kind: 'audio', sample_rate: data.sampleRate, channels: data.channels, annotations: data.annotations },
        bytes: Buffer.from(data.samples.buffer, data.samples.byteOffset, data.samples.byteLength),
      };
    case 'json':
      return { kind: 'json', value: data.value };
    case 'binary':
      return { kind: 'binary', bytes: Buffer.from(data.data) };
    case 'tensor':
      return {
        ...{ kind: 'tensor', shape: data.shape, dtype: TENSOR_TYPES.lastIndexOf(data.dtype), extras: data.extras },
        bytes: Buffer.from(data.data),
      };
    case 'numpy':
      return {
        kind: 'numpy',
        dtype: data.dtype,
        shape: data.shape,
        values: numbersOf(data.dtype, Buffer.from(data.data)),
      };
    case 'video':
      return {
        ...{ kind: 'video', width: data.width, height: data.height, format: VIDEO_FORMATS.lastIndexOf(data.format) },
        ...{ codec: CODECS.indexOf(data.codec), frame_number: data.frameNumber ?? 0 },
        ...{ keyframe: data.isKeyframe === true ? 1 : 0, bytes: Buffer.from(data.data) },
      };
    case 'file':
      return {
        ...{ kind: 'file', path: data.path, filename: data.filename, mime_type: data.mimeType, size: data.size },
        ...{ offset: data.offset, length: data.length, stream_id: data.streamId },
      };
    case 'control':
      return { kind: 'control', json: controlJson(data) };
    default:
      return { kind: data.type };
  }
}

function samplesOf(frame: Frame): Float32Array {
  const ramp = frame['ramp'] as number | undefined;
  if (ramp !== undefined) return Float32Array.from({ length: ramp }, (_, index) => (index % 100) / 100);
  return Float32Array.from((frame['samples'] as number[] | undefined) ?? []);
}

function videoOf(frame: Frame): RuntimeData {
  const codec = CODECS[Number(frame['codec'])];
  return {
    ...{ type: 'video', width: Number(frame['width']), height: Number(frame['height']) },
    format: VIDEO_FORMATS[Number(frame['format'])] ?? 'encoded',
    data: Buffer.from(String(frame['data_hex']), 'hex'),
    ...{ frameNumber: Number(frame['frame_number']), isKeyframe: Boolean(frame['keyframe']) },
    ...(codec === undefined ? {} : { codec }),
  };
}

function fileOf(frame: Frame): RuntimeData {
  const given = <T>(field: string, name: string): Record<string, T> =>
    frame[field] === undefined ? {} : { [name]: frame[field] as T };
  return {
    ...{ type: 'file', path: String(frame['path']) },
    ...given<string>('filename', 'filename'),
    ...given<string>('mime_type', 'mimeType'),
    ...given<number>('size', 'size'),
    ...given<number>('offset', 'offset'),
    ...given<number>('length', 'length'),
    ...given<string>('stream_id', 'streamId'),
  };
}

function controlOf(json: Frame): RuntimeData {
  const message = json['message_type'];
  const [messageType, fields] =
    typeof message === 'object' && message !== null
      ? (Object.entries(message)[0] ?? ['', {}])
      : [String(message), undefined];
  return {
    ...{ type: 'control', messageType, timestampMs: Number(json['timestamp_ms']), metadata: json['metadata'] },
    ...(fields === undefined ? {} : { fields: fields as Record<string, unknown> }),
    ...(typeof json['segment_id'] === 'string' ? { segmentId: json['segment_id'] } : {}),
  };
}

function controlJson(data: Extract<RuntimeData, { type: 'control' }>): unknown {
  return {
    message_type: { [data.messageType]: data.fields ?? {} },
    segment_id: data.segmentId ?? null,
    metadata: data.metadata ?? {},
  };
}

/** The numpy frame of the original's layout (spec 7.2), which its own runner does not read. */
function numpyOf(payload: Buffer): RuntimeData {
  let at = 0;
  const u16 = (): number => payload.readUInt16LE((at += 2) - 2);
  const list = (): number[] => Array.from({ length: u16() }, () => Number(payload.readBigInt64LE((at += 8) - 8)));
  const shape = list();
  list();
  const size = u16();
  const dtype = payload.toString('latin1', at, at + size);
  return { type: 'numpy', shape, dtype, data: payload.subarray(at + size + 1) };
}

function numbersOf(dtype: string, bytes: Buffer): readonly number[] {
  const width = Number(dtype.slice(2));
  const isFloat = dtype[1] === 'f';
  return Array.from({ length: bytes.length / width }, (_, index) => {
    const at = index * width;
    if (isFloat) return width === 8 ? bytes.readDoubleLE(at) : bytes.readFloatLE(at);
    return width === 8 ? Number(bytes.readBigInt64LE(at)) : bytes.readIntLE(at, width);
  });
}

function isSameBytes(wanted: Frame, bytes: Buffer): boolean {
  if (wanted['hex'] !== undefined) return bytes.toString('hex') === wanted['hex'];
  return bytes.length === wanted['bytes'] && createHash('sha256').update(bytes).digest('hex') === wanted['sha256'];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

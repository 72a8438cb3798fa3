/** Sound as numbers: interleaved, between -1 and 1. */
export interface Sound {
  readonly samples: Float32Array;
  /** In Hz. */
  readonly sampleRate: number;
  readonly channels: number;
}

const PCM = 1;
const HEADER_BYTES = 44;

/** Reads a WAV file of 16-bit PCM, the kind that every recorder writes. */
export function readWav(file: Buffer): Sound {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('This is no WAV file');
  }
  const format = chunk(file, 'fmt ');
  const data = chunk(file, 'data');
  if (format.readUInt16LE(0) !== PCM || format.readUInt16LE(14) !== 16) throw new Error('Only 16-bit PCM is read');
  const samples = new Float32Array(data.length >> 1);
  for (let at = 0; at < samples.length; at += 1) samples[at] = data.readInt16LE(2 * at) / 32768;
  return { samples, sampleRate: format.readUInt32LE(4), channels: format.readUInt16LE(2) };
}

/** Writes a WAV file of 16-bit PCM. */
export function writeWav({ samples, sampleRate, channels }: Sound): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + 2 * samples.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(PCM, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * channels * 2, 28);
  file.writeUInt16LE(channels * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, at) => {
    file.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), HEADER_BYTES + 2 * at);
  });
  return file;
}

/** Tones on top of each other, each as loud as the others. */
export function synthesise(frequencies: readonly number[], seconds: number, sampleRate = 16_000): Sound {
  const samples = new Float32Array(seconds * sampleRate);
  for (let at = 0; at < samples.length; at += 1) {
    const tones = frequencies.map((hz) => Math.sin((2 * Math.PI * hz * at) / sampleRate));
    samples[at] = (0.8 / tones.length) * tones.reduce((sum, tone) => sum + tone, 0);
  }
  return { samples, sampleRate, channels: 1 };
}

function chunk(file: Buffer, name: string): Buffer {
  for (let at = 12; at + 8 <= file.length;) {
    const size = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === name) return file.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  throw new Error(`The WAV file has no part '${name}'`);
}

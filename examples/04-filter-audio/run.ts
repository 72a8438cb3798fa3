/**
 * Filters a WAV file with NumPy, in frames of 20 ms as from a microphone.
 *
 *     npx tsx examples/04-filter-audio/run.ts [INPUT.wav [OUTPUT.wav]]
 *
 * Without an input it makes one: a tone that stays (440 Hz) under one that goes (5 kHz).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { createHost } from 'charmer';

import { readWav, synthesise, writeWav } from './wav.ts';

const FRAME_MS = 20;
const [input = 'tones.wav', output = 'filtered.wav'] = process.argv.slice(2);
if (!existsSync(input)) writeFileSync(input, writeWav(synthesise([440, 5_000], 4)));

const { samples, sampleRate, channels } = readWav(readFileSync(input));
const frameSize = (sampleRate * channels * FRAME_MS) / 1000;
const frames = Array.from({ length: Math.ceil(samples.length / frameSize) }, (_, number) =>
  samples.subarray(number * frameSize, (number + 1) * frameSize),
);

const host = createHost();
host.on('progress', ({ message }) => console.error(message));
try {
  const session = await host.session(fileURLToPath(new URL('manifest.json', import.meta.url)));
  const started = performance.now();
  const feeding = feed();
  const filtered: Float32Array[] = [];
  for await (const { data, error } of session) {
    if (error !== undefined) throw error;
    if (data?.type !== 'audio') continue;
    filtered.push(data.samples);
    if (filtered.length % 50 === 0) console.log(JSON.stringify(data.annotations));
  }
  await feeding;
  const took = (performance.now() - started) / 1000;
  const seconds = samples.length / sampleRate / channels;
  writeFileSync(output, writeWav({ samples: joined(filtered), sampleRate, channels }));
  console.log(`${output}: ${seconds.toFixed(2)} s of audio in ${filtered.length} frames of ${FRAME_MS} ms`);
  console.log(`filtered in ${took.toFixed(3)} s: real-time factor ${(took / seconds).toFixed(4)}`);

  async function feed(): Promise<void> {
    for (const [number, frame] of frames.entries()) {
      const annotations = { pts_ms: number * FRAME_MS };
      await session.send({ type: 'audio', samples: frame, sampleRate, channels, annotations });
    }
    await session.inputComplete();
  }
} finally {
  await host.close();
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

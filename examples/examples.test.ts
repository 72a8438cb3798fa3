import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { pythonDirectories } from '../src/doors/python-path.ts';
import { root, temporaryDirectory } from '../test/test-host.ts';
import { readWav, type Sound, synthesise, writeWav } from './04-filter-audio/wav.ts';
import { runExample, typescript } from '../test/run-example.ts';

/** Environments come from the registry, and the machine may be slow. */
const INSTALL_TIMEOUT_MS = 180_000;

describe('04-filter-audio', () => {
  it(
    'filters a WAV file in frames of 20 ms, faster than it plays',
    async () => {
      const directory = temporaryDirectory();
      const [input, output] = [join(directory, 'in.wav'), join(directory, 'out.wav')];
      writeFileSync(input, writeWav(synthesise([440, 5_000], 2)));

      const run = await runExample(typescript('04-filter-audio', input, output));

      expect(run.code, run.stderr).toBe(0);
      const [first, , summary, speed] = run.lines;
      expect(JSON.parse(first ?? '')).toEqual({
        pts_ms: 980,
        peak_hz: 450,
        level_db: expect.closeTo(-17, 0) as number,
      });
      expect(summary).toBe(`${output}: 2.00 s of audio in 100 frames of 20 ms`);
      expect(Number(/real-time factor ([\d.]+)$/.exec(speed ?? '')?.[1])).toBeLessThan(1);

      const [before, after] = [readWav(readFileSync(input)), readWav(readFileSync(output))];
      expect(after.samples).toHaveLength(before.samples.length);
      // Minus six decibels is half as loud.
      expect(loudness(after, 440) / loudness(before, 440)).toBeCloseTo(0.5, 2);
      expect(loudness(after, 5_000) / loudness(before, 5_000)).toBeLessThan(0.005);
      expect(clicks(after)).toBe(0);
    },
    INSTALL_TIMEOUT_MS,
  );
});

describe('05-interrupt-an-answer', () => {
  it(
    'installs a dependency that is declared three times once, loads with progress, and is interrupted mid-answer',
    async () => {
      const run = await runExample(typescript('05-interrupt-an-answer'));

      expect(run.code, run.stderr).toBe(0);
      const of = (start: string): string[] => run.lines.filter((line) => line.startsWith(start));
      expect(of('install: + ')).toEqual([expect.stringMatching(/^install: \+ inflection==/)]);
      const layers = ['1st', '2nd', '3rd', '4th', '5th'];
      expect(of('loading_model: ')).toEqual(layers.map((layer) => `loading_model: ${layer} of 5 layers`));
      const spoken = run.lines.slice(run.lines.indexOf('loading_model: 5th of 5 layers') + 1);
      expect(spoken).toEqual([
        '1st word about The History Of Bread',
        '2nd word about The History Of Bread',
        '3rd word about The History Of Bread',
        '4th word about The History Of Bread',
        expect.stringMatching(/^interrupted: \d{1,2} more words came, silent after \d+ ms$/),
        '1st word about And Of Butter?',
        '2nd word about And Of Butter?',
        '3rd word about And Of Butter?',
      ]);
    },
    INSTALL_TIMEOUT_MS,
  );
});

describe('06-chain-plugins', () => {
  it('sends values through an Obscura action, a Fidius method and a RemoteMedia node', async () => {
    const run = await runExample(typescript('06-chain-plugins'));

    expect(run.code, run.stderr).toBe(0);
    expect(run.lines).toEqual([
      '1: A charmer is someone who makes',
      '1: snakes dance without being',
      '1: bitten.',
      "2: meaning says no: the glossary has no word 'ferret'",
      '2: A python is a large snake that',
      '2: is not venomous.',
    ]);
  });
});

describe('07-use-from-python', () => {
  it('runs a pipeline from a Python program, with its errors and its remote methods', async () => {
    const run = await runExample(['python3', join(root, 'examples/07-use-from-python/consume.py')], {
      env: { PYTHONPATH: pythonDirectories().join(delimiter) },
    });

    expect(run).toEqual({
      code: 0,
      lines: [
        'HELLO!',
        '[0.2, -0.4, 1.0] at 16000 Hz',
        'marks before: 1',
        'ONCE MORE!!!',
        'shout, input 4: TypeError',
        'shout: GOODBYE!!!',
      ],
      stderr: '',
    });
  });
});

/** How loud one frequency is: the amplitude of its tone. */
function loudness({ samples, sampleRate }: Sound, hz: number): number {
  let [real, imaginary] = [0, 0];
  samples.forEach((sample, at) => {
    real += sample * Math.cos((2 * Math.PI * hz * at) / sampleRate);
    imaginary += sample * Math.sin((2 * Math.PI * hz * at) / sampleRate);
  });
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

/** Steps that a tone of 440 Hz cannot make: what a frame would leave that forgot the one before. */
function clicks({ samples, sampleRate }: Sound): number {
  const steepest = (2 * Math.PI * 440 * 0.25) / sampleRate;
  return samples.filter((sample, at) => at > 200 && Math.abs(sample - (samples[at - 1] ?? 0)) > steepest).length;
}

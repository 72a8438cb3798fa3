import { join } from 'node:path';

import { createHost, type Host, type PipelineSession } from '../../src/index.ts';
import { bareEcho, bareEchoName } from '../bare-pipe.ts';
import { assertSame, bestRound, interleave, ratioOf, type Contender, type Ratio } from '../measure.ts';
import { gate, ratioNote, type CaseReport } from '../report.ts';
import type { Setting } from '../setting.ts';

/** One input that an echo gives back. */
interface Turn {
  readonly name: string;
  readonly bytes: number;
  readonly repeat: number;
  readonly atMostMs: number;
  /** Of the original's real runner, in milliseconds. */
  readonly original: string;
  readonly input: unknown;
}

const RATE = 24_000;
/** Frames of one run through the chain; outputs of one run of the generator. */
const FRAMES = 1000;
const OUTPUTS = 20_000;

const TURNS: readonly Turn[] = [
  text('5 B text', 5, { repeat: 300, atMostMs: 0.12, original: '0.149 ms' }),
  text('1 KiB text', 1024, { repeat: 300, atMostMs: 0.15, original: '1.7 ms' }),
  text('64 KiB text', 65_536, { repeat: 100, atMostMs: 0.5, original: '99 ms' }),
  audio('20 ms audio', RATE / 50, { repeat: 300, atMostMs: 0.2, original: '3.1 ms' }),
  audio('1 s audio', RATE, { repeat: 100, atMostMs: 1, original: '146 ms' }),
  audio('1 MiB audio', 262_144, { repeat: 20, atMostMs: 5, original: '1,597 ms' }),
];
const BESIDE = 'turn, 5 B text, beside four idle nodes';
const GENERATOR = `generator of ${OUTPUTS} texts`;
const CHAIN = `${FRAMES} frames of 20 ms through three nodes`;

/** Turns of a node against a bare pipe that echoes as many bytes, and streams of them. */
export async function remotemedia(setting: Setting): Promise<CaseReport> {
  const { python, scratch, rounds } = setting;
  const host = createHost({ cacheDir: join(scratch, 'cache'), python: { path: python } });
  const crowded = createHost({ cacheDir: join(scratch, 'cache'), python: { path: python } });
  const floors = TURNS.map(({ bytes, repeat }) => bareEcho(setting, bytes, repeat));
  try {
    const echo = await host.session(chainOf(setting, ['Echo']));
    const burst = await host.session(chainOf(setting, ['Burst']));
    const chain = await host.session(chainOf(setting, ['Echo', 'Echo', 'Echo']));
    const [small] = TURNS;
    const contenders = [
      ...TURNS.map((turn) => turning(`turn, ${turn.name}`, echo, turn)),
      ...(small === undefined ? [] : [turning(BESIDE, await besideIdle(crowded, setting), small)]),
      { name: GENERATOR, repeat: 1, run: () => generate(burst) },
      { name: CHAIN, repeat: 1, run: () => runChain(chain) },
    ];
    const measured = await interleave([...floors, ...contenders], rounds);
    const perRun = (name: string, count: number): Ratio => {
      const { min, max } = bestRound(measured, name);
      return { median: count / min, min: count / max, max: count / min };
    };
    const [outputs, frames] = [perRun(GENERATOR, OUTPUTS), perRun(CHAIN, FRAMES * 1000)];
    const p95 = measured.get(BESIDE)?.p95 ?? Number.NaN;
    return {
      title: 'RemoteMedia: turns',
      rows: [...measured.values()],
      gates: [
        ...TURNS.map(({ name, atMostMs, original }) => {
          const best = bestRound(measured, `turn, ${name}`);
          return gate(
            { what: `turn, ${name}`, against: was(original), atMost: atMostMs, unit: ' ms' },
            best.median,
            best,
          );
        }),
        gate({ what: `${BESIDE}, p95`, against: was('8.3 ms'), atMost: 0.3, unit: ' ms' }, p95),
        gate({ what: GENERATOR, against: was('35 k/s'), atLeast: 150, unit: ' k/s' }, outputs.median, outputs),
        gate({ what: CHAIN, against: 'nothing', atLeast: 2000, unit: '/s' }, frames.median, frames),
      ],
      notes: TURNS.map(({ name, bytes }) => {
        const floor = bareEchoName(bytes);
        return ratioNote(`turn, ${name}`, floor, ratioOf(measured, `turn, ${name}`, floor));
      }),
    };
  } finally {
    for (const floor of floors) floor.stop();
    await Promise.all([host.close(), crowded.close()]);
  }
}

/** A pipeline of nodes of `echo-node`, one behind the other. */
export function chainOf({ root }: Setting, nodeTypes: readonly string[]): object {
  return {
    version: 'v1',
    metadata: { name: 'bench' },
    plugins: [join(root, 'bench/programs/echo-node')],
    nodes: nodeTypes.map((type, index) => ({ id: `n${index}`, node_type: type, params: {} })),
    connections: nodeTypes.slice(1).map((_, index) => ({ from: `n${index}`, to: `n${index + 1}` })),
  };
}

async function besideIdle(host: Host, setting: Setting): Promise<PipelineSession> {
  const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => host.session(chainOf(setting, ['Echo']))));
  const [busy] = sessions;
  if (busy === undefined) throw new Error('no session');
  return busy;
}

function turning(name: string, session: PipelineSession, { input, bytes, repeat }: Turn): Contender {
  return {
    name,
    repeat,
    run: async () => {
      await session.send(input);
      assertSame(bytesOf(await session.receive()), bytes);
    },
  };
}

async function generate(session: PipelineSession): Promise<void> {
  await session.send(String(OUTPUTS));
  for (let index = 0; index < OUTPUTS; index += 1) {
    const output = await session.receive();
    if (index === OUTPUTS - 1) assertSame(output?.data, { type: 'text', data: String(index) });
  }
}

/** Frames are sent as fast as they are taken, and taken beside that. */
async function runChain(session: PipelineSession): Promise<void> {
  const frame = audioOf(RATE / 50);
  const sending = (async () => {
    for (let index = 0; index < FRAMES; index += 1) await session.send(frame);
  })();
  for (let index = 0; index < FRAMES; index += 1) assertSame(bytesOf(await session.receive()), (RATE / 50) * 4);
  await sending;
}

function bytesOf(output: Awaited<ReturnType<PipelineSession['receive']>>): number | undefined {
  const data = output?.data;
  if (data?.type === 'text') return data.data.length;
  return data?.type === 'audio' ? data.samples.byteLength : undefined;
}

function text(name: string, bytes: number, rest: Pick<Turn, 'repeat' | 'atMostMs' | 'original'>): Turn {
  return { name, bytes, input: 'x'.repeat(bytes), ...rest };
}

function audio(name: string, samples: number, rest: Pick<Turn, 'repeat' | 'atMostMs' | 'original'>): Turn {
  return { name, bytes: samples * 4, input: audioOf(samples), ...rest };
}

function audioOf(samples: number): object {
  return { type: 'audio', samples: new Float32Array(samples).fill(0.25), sampleRate: RATE, channels: 1 };
}

function was(figure: string): string {
  return `the original: ${figure}`;
}

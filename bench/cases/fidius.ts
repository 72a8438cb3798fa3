import { join } from 'node:path';

import { createHost, type Plugin } from '../../src/index.ts';
import { bareEcho, bareEchoName, bareLines } from '../bare-pipe.ts';
import { assertSame, bestRound, interleave, ratioOf, type Contender, type Measured } from '../measure.ts';
import { gate, ratioNote, type CaseReport, type Gate } from '../report.ts';
import type { Setting } from '../setting.ts';

/** Items of one stream. */
const ITEMS = 50_000;
const KIB_64 = 64 * 1024;
const MIB_2 = 2 * 1024 * 1024;
/** JSON text of the list of doubles, about. */
const DOUBLES_BYTES = 20_000;
const NUMBERS = Array.from({ length: 1000 }, (_, index) => index / 7);
const WORDS = 'x'.repeat(KIB_64);

const SMALL = 'typed call of two numbers';
const RAW_64 = 'raw call, 64 KiB';
const RAW_2 = 'raw call, 2 MiB';
const DOUBLES = 'typed list of 1,000 doubles, echoed';
const STRING = 'typed string of 64 KiB, echoed';
const SERVER = `server stream of ${ITEMS} numbers`;
const CLIENT = `client stream of ${ITEMS} numbers`;
const BIDI = `bidirectional stream of ${ITEMS} numbers`;
const IN_PROCESS = 'the real host, in process';

/** What `shapes` offers, as a host that knows its interface says it. */
export const SHAPES = {
  name: 'Shapes',
  hash: '0x5a4e5',
  methods: [
    { name: 'add' },
    { name: 'echo' },
    { name: 'echo_bytes', wireRaw: true },
    { name: 'count', kind: 'server-stream' },
    { name: 'total', kind: 'client-stream' },
    { name: 'doubled', kind: 'bidi' },
  ],
} as const;

/** Calls and streams of a resident plugin against bare pipes that carry the same. */
export async function fidius(setting: Setting): Promise<CaseReport> {
  const { python, root, scratch, rounds } = setting;
  const host = createHost({ cacheDir: join(scratch, 'cache'), python: { path: python } });
  const floors = [
    bareEcho(setting, 1, 500),
    bareEcho(setting, KIB_64, 100),
    bareEcho(setting, MIB_2, 20),
    bareEcho(setting, DOUBLES_BYTES, 100),
  ];
  const lines = bareLines(setting, ITEMS, 2);
  try {
    const plugin = await host.load(join(root, 'bench/programs/shapes'), { interface: SHAPES });
    const measured = await interleave([...floors, lines, ...calls(plugin), ...streams(plugin)], rounds);
    const overFloor = ratioOf(measured, SMALL, bareEchoName(1));
    return {
      title: 'Fidius: calls and streams',
      rows: [...measured.values()],
      gates: [
        gate({ what: SMALL, against: bareEchoName(1), atMost: 2, unit: '×' }, overFloor.median, overFloor),
        atMostMs(measured, RAW_64, { figure: '0.66 ms', atMost: 0.15 }),
        atMostMs(measured, RAW_2, { figure: '23 ms', atMost: 2.3 }),
        atMostMs(measured, DOUBLES, { figure: '0.131 ms', atMost: 0.4 }),
        atMostMs(measured, STRING, { figure: '0.258 ms', atMost: 0.4 }),
        itemsPerSecond(measured, SERVER, { figure: '93–186 k/s', atLeast: 250 }),
        itemsPerSecond(measured, BIDI, { figure: '93–182 k/s', atLeast: 250 }),
        itemsPerSecond(measured, CLIENT, { figure: '22,000 k/s', atLeast: 500 }),
      ],
      notes: [
        ratioNote(RAW_64, bareEchoName(KIB_64), ratioOf(measured, RAW_64, bareEchoName(KIB_64))),
        ratioNote(RAW_2, bareEchoName(MIB_2), ratioOf(measured, RAW_2, bareEchoName(MIB_2))),
        ratioNote(DOUBLES, bareEchoName(DOUBLES_BYTES), ratioOf(measured, DOUBLES, bareEchoName(DOUBLES_BYTES))),
        ratioNote(STRING, bareEchoName(KIB_64), ratioOf(measured, STRING, bareEchoName(KIB_64))),
        ...[SERVER, BIDI, CLIENT].map((name) => ratioNote(name, lines.name, ratioOf(measured, name, lines.name))),
      ],
    };
  } finally {
    for (const floor of [...floors, lines]) floor.stop();
    await host.close();
  }
}

function calls(plugin: Plugin): readonly Contender[] {
  const blocks = { [RAW_64]: Buffer.alloc(KIB_64, 7), [RAW_2]: Buffer.alloc(MIB_2, 7) };
  return [
    { name: SMALL, repeat: 500, run: async () => assertSame(await plugin.call('add', 1, 2), 3) },
    ...Object.entries(blocks).map(([name, block]) => ({
      name,
      repeat: name === RAW_2 ? 20 : 100,
      run: async () => assertSame(block.equals((await plugin.call('echo_bytes', block)) as Uint8Array), true),
    })),
    {
      name: DOUBLES,
      repeat: 100,
      run: async () => {
        const answer = (await plugin.call('echo', NUMBERS)) as readonly number[];
        assertSame([answer.length, answer[999]], [1000, NUMBERS[999]]);
      },
    },
    { name: STRING, repeat: 100, run: async () => assertSame((await plugin.call('echo', WORDS)) === WORDS, true) },
  ];
}

function streams(plugin: Plugin): readonly Contender[] {
  const sum = (ITEMS * (ITEMS - 1)) / 2;
  return [
    { name: SERVER, repeat: 2, run: async () => assertSame(await sumOf(plugin.stream('count', ITEMS)), sum) },
    { name: CLIENT, repeat: 2, run: async () => assertSame(await plugin.call('total', numbers()), sum) },
    {
      name: BIDI,
      repeat: 2,
      run: async () => assertSame(await sumOf(plugin.stream('doubled', numbers())), 2 * sum),
    },
  ];
}

async function sumOf(items: AsyncIterable<unknown>): Promise<number> {
  let sum = 0;
  for await (const item of items) sum += item as number;
  return sum;
}

// A client stream is an iterable of its own kind: a list among the arguments is a value.
async function* numbers(): AsyncGenerator<number> {
  for (let item = 0; item < ITEMS; item += 1) yield item;
}

function atMostMs(
  measured: ReadonlyMap<string, Measured>,
  name: string,
  { figure, atMost }: { readonly figure: string; readonly atMost: number },
): Gate {
  const best = bestRound(measured, name);
  return gate({ what: name, against: `${IN_PROCESS}: ${figure}`, atMost, unit: ' ms' }, best.median, best);
}

function itemsPerSecond(
  measured: ReadonlyMap<string, Measured>,
  name: string,
  { figure, atLeast }: { readonly figure: string; readonly atLeast: number },
): Gate {
  const { min, max } = bestRound(measured, name);
  const limit = { what: name, against: `${IN_PROCESS}: ${figure}`, atLeast, unit: ' k/s' };
  return gate(limit, ITEMS / min, { min: ITEMS / max, max: ITEMS / min });
}

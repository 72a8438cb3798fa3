import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { createHost, pack, unpack, type Host } from '../../src/index.ts';
import { assertSame, bestRound, interleave, ratioOf, type Contender, type Ratio } from '../measure.ts';
import { gate, ratioNote, type CaseReport } from '../report.ts';
import type { Setting } from '../setting.ts';
import { SHAPES } from './fidius.ts';

const run = promisify(execFile);

const COLD = 'new host, load, first result';
const EXEC = 'load by exec, first result';
const FORKED = 'load from the fork server, first result';
const SPAWN = 'spawn per call';
const OURS = 'pack() into a .fid';
const THEIRS = "Python's tarfile and bz2, spawned";
/** Time in which a spare is made again between two loads, in milliseconds. */
const GAP_MS = 40;
/** Time in which a fork server comes up, in milliseconds. */
const WARM_UP_MS = 1500;
const FILES = 200;
const FILE_BYTES = 16 * 1024;

/** From a package to its first result, and from a directory to a package. */
export async function fidiusPackages(setting: Setting): Promise<CaseReport> {
  const { python, root, scratch, rounds } = setting;
  const tree = join(scratch, 'tree');
  writeTree(tree);
  const hostOptions = { cacheDir: join(scratch, 'cache'), python: { path: python } };
  const forking = createHost(hostOptions);
  const plain = createHost({ ...hostOptions, launch: 'exec' });
  const shapes = join(root, 'bench/programs/shapes');
  try {
    // The first worker is started by exec; the second one asks for the fork server, which comes up meanwhile.
    for (const host of [plain, forking, forking]) await firstResult(host, shapes);
    await rest(WARM_UP_MS);
    const measured = await interleave(
      [
        {
          name: SPAWN,
          repeat: 3,
          gapMs: GAP_MS,
          run: async () => {
            const { stdout } = await run(python, [
              '-c',
              `import sys; sys.path.append(${JSON.stringify(shapes)}); import shapes; print(shapes.add(1, 2))`,
            ]);
            assertSame(Number(stdout), 3);
          },
        },
        loading(COLD, () => createHost(hostOptions), shapes),
        loading(EXEC, () => plain, shapes),
        loading(FORKED, () => forking, shapes),
        ...packing(setting, tree),
      ],
      rounds,
    );
    const best = (name: string): Ratio => bestRound(measured, name);
    const packed = ratioOf(measured, OURS, THEIRS);
    return {
      title: 'Fidius: loading and packing',
      rows: [...measured.values()],
      gates: [
        gate(
          { what: COLD, against: 'the real host, in process: 8 ms', atMost: 60, unit: ' ms' },
          best(COLD).median,
          best(COLD),
        ),
        gate(
          { what: FORKED, against: 'the real host, in process: 8 ms', atMost: 5, unit: ' ms' },
          best(FORKED).median,
          best(FORKED),
        ),
        gate({ what: OURS, against: THEIRS, atMost: 1.2, unit: '×' }, packed.median, packed),
      ],
      notes: [
        ratioNote(COLD, SPAWN, ratioOf(measured, COLD, SPAWN)),
        ratioNote(EXEC, SPAWN, ratioOf(measured, EXEC, SPAWN)),
        ratioNote(FORKED, SPAWN, ratioOf(measured, FORKED, SPAWN)),
      ],
    };
  } finally {
    await Promise.all([forking.close(), plain.close()]);
  }
}

/** A host that is made for the measurement is closed after it, a shared one only loses the plugin. */
function loading(name: string, hostOf: () => Host, directory: string): Contender {
  let close: () => Promise<unknown> = () => Promise.resolve();
  return {
    name,
    repeat: 3,
    gapMs: GAP_MS,
    run: async () => {
      const host = hostOf();
      const plugin = await firstResult(host, directory);
      close = name === COLD ? () => host.close() : () => plugin.close();
    },
    after: () => close(),
  };
}

async function firstResult(host: Host, directory: string): Promise<{ close(): Promise<unknown> }> {
  const plugin = await host.load(directory, { interface: SHAPES });
  assertSame(await plugin.call('add', 1, 2), 3);
  return plugin;
}

function packing({ python, root, scratch }: Setting, tree: string): readonly Contender[] {
  const output = join(scratch, 'tree.fid');
  const program = join(root, 'bench/programs/pack_tree.py');
  return [
    {
      name: OURS,
      repeat: 1,
      run: async () => assertSame((await pack(tree, { output, python })).files.length, FILES + 1),
    },
    {
      name: THEIRS,
      repeat: 1,
      run: async () => {
        await run(python, [program, tree, output]);
      },
      after: async () => {
        const destination = join(scratch, 'unpacked');
        assertSame((await unpack(output, { destination, limits: { maxRatio: 0 } })).name, 'tree-1.0.0');
      },
    },
  ];
}

/** Text as packages hold it: words that repeat, and numbers that do not. */
function writeTree(directory: string): void {
  mkdirSync(join(directory, 'parts'), { recursive: true });
  writeFileSync(
    join(directory, 'package.toml'),
    '[package]\nname = "tree"\nversion = "1.0.0"\ninterface = "Tree"\ninterface_version = 1\nruntime = "python"\n\n[metadata]\n\n[python]\nentry_module = "tree"\n',
  );
  let state = 1;
  for (let file = 0; file < FILES; file += 1) {
    let content = '';
    while (content.length < FILE_BYTES) {
      state = (state * 48271) % 0x7fffffff;
      content += `def part_${state % 997}(value):\n    return value * ${state}\n`;
    }
    writeFileSync(join(directory, 'parts', `part_${file}.py`), content);
  }
}

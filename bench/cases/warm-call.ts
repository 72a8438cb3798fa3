import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { createHost } from '../../src/index.ts';
import { assertSame, interleave, ratioOf, type Contender } from '../measure.ts';
import { gate, type CaseReport } from '../report.ts';
import type { Setting } from '../setting.ts';

const SPAWN = 'spawn per call';
const WARM = 'warm call';
const FLOOR = 'bare pipe echo, 1 byte';

/** A small call: a process of its own each time, against a resident plugin, against the floor. */
export async function warmCall({ python, root, scratch, rounds }: Setting): Promise<CaseReport> {
  const host = createHost({ cacheDir: join(scratch, 'cache'), python: { path: python } });
  const echo = spawn(python, ['-I', '-S', join(root, 'bench/programs/echo.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const adder = await host.load(join(root, 'bench/programs/adder'));
    const contenders: Contender[] = [
      { name: SPAWN, repeat: 4, run: () => spawnOnce(python, join(root, 'bench/programs/sum.py')) },
      { name: WARM, repeat: 1000, run: async () => assertSame(await adder.call('add', 1, 2), 3) },
      {
        name: FLOOR,
        repeat: 1000,
        run: () =>
          new Promise((resolve) => {
            echo.stdout.once('data', () => resolve());
            echo.stdin.write('x');
          }),
      },
    ];
    for (let turn = 0; turn < 3000; turn += 1) await adder.call('add', 1, 2);
    const measured = await interleave(contenders, rounds);
    const saved = ratioOf(measured, SPAWN, WARM);
    const overFloor = ratioOf(measured, WARM, FLOOR);
    return {
      title: 'A small call',
      rows: [...measured.values()],
      gates: [
        gate({ what: WARM, against: SPAWN, atLeast: 200, unit: '×' }, saved.median, saved),
        gate({ what: WARM, against: FLOOR, atMost: 2.5, unit: '×' }, overFloor.median, overFloor),
      ],
    };
  } finally {
    echo.kill();
    await host.close();
  }
}

async function spawnOnce(python: string, program: string): Promise<void> {
  const child = spawn(python, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end('{"a":1,"b":2}');
  assertSame(JSON.parse(await text(child.stdout)), 3);
}

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { LaunchPlan } from '../../src/plugin-spec.ts';
import { collectOutput } from '../../src/process/collect-output.ts';
import { createSupervisor, type Supervisor } from '../../src/process/supervisor.ts';
import { assertSame, interleave, quantile, ratioOf, type Contender } from '../measure.ts';
import { gate, type CaseReport, type Gate } from '../report.ts';
import type { Setting } from '../setting.ts';

const SPAWN = 'spawn per call';
const SPARE = 'forked spare';
const ON_DEMAND = 'fork on demand';
const NUMPY_SPAWN = 'spawn per call, imports numpy';
const NUMPY_SPARE = 'forked spare, numpy preloaded';
/** Host memory of the second part, in bytes. */
const BALLAST = 1.5 * 1024 ** 3;
/** Time in which a spare is made again between two calls, in milliseconds. */
const GAP_MS = 10;

/** A fresh process per call: started each time, against a copy of an interpreter that waits for its call. */
export async function oneShot({ python, root, scratch, rounds }: Setting): Promise<CaseReport> {
  const program = (name: string): string => join(root, 'bench/programs', name);
  const plan = planOf(python, program('sum.py'), scratch);
  const numpyPlan = planOf(python, program('numpy_sum.py'), scratch);
  const hasNumpy = spawnSync(python, ['-c', 'import numpy']).status === 0;
  const spares = createSupervisor({ interpreter: python });
  const demand = createSupervisor({ interpreter: python, spares: 0 });
  try {
    await Promise.all([
      spares.prepare(plan),
      demand.prepare(plan),
      ...(hasNumpy ? [spares.prepare(numpyPlan, NUMPY)] : []),
    ]);
    const contenders: Contender[] = [
      { name: SPAWN, repeat: 4, run: () => spawned(plan), gapMs: GAP_MS },
      { name: SPARE, repeat: 20, run: () => forked(spares, plan), gapMs: GAP_MS },
      { name: ON_DEMAND, repeat: 10, run: () => forked(demand, plan), gapMs: GAP_MS },
      ...(hasNumpy
        ? [
            { name: NUMPY_SPAWN, repeat: 3, run: () => spawned(numpyPlan), gapMs: GAP_MS },
            { name: NUMPY_SPARE, repeat: 20, run: () => forked(spares, numpyPlan, NUMPY), gapMs: GAP_MS },
          ]
        : []),
    ];
    const measured = await interleave(contenders, rounds);
    const gates = [
      ratioGate(measured, { slow: SPAWN, fast: SPARE, atLeast: 10 }),
      ratioGate(measured, { slow: SPAWN, fast: ON_DEMAND, atLeast: 4 }),
      ...(hasNumpy ? [ratioGate(measured, { slow: NUMPY_SPAWN, fast: NUMPY_SPARE, atLeast: 25 })] : []),
      await throughputGate(spares, plan),
      ...(await largeHostGates(spares, plan)),
    ];
    const notes = hasNumpy ? [] : [`numpy is not installed beside ${python}: its rows are left out.`];
    return { title: 'A fresh process per call', rows: [...measured.values()], gates, notes };
  } finally {
    await Promise.all([spares.close(), demand.close()]);
  }
}

const NUMPY = { preload: ['numpy'] } as const;

async function spawned({ argv, env, cwd }: LaunchPlan): Promise<void> {
  const [command = '', ...words] = argv;
  const child = spawn(command, words, { env: { ...env }, cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end('{"a":1,"b":2}');
  assertSame(JSON.parse(await text(child.stdout)), 3);
}

async function forked(
  supervisor: Supervisor,
  plan: LaunchPlan,
  options: { readonly preload?: readonly string[] } = {},
): Promise<void> {
  const child = await supervisor.fork(plan, options);
  assertSame(child.launcher, 'fork');
  const { stdout } = await collectOutput(child, { input: '{"a":1,"b":2}', maxBytes: 1024 });
  assertSame(JSON.parse(stdout.toString('utf8')), 3);
}

function ratioGate(
  measured: Awaited<ReturnType<typeof interleave>>,
  { slow, fast, atLeast }: { readonly slow: string; readonly fast: string; readonly atLeast: number },
): Gate {
  const ratio = ratioOf(measured, slow, fast);
  return gate({ what: fast, against: slow, atLeast, unit: '×' }, ratio.median, ratio);
}

/** Calls per second with four in flight. */
async function throughputGate(supervisor: Supervisor, plan: LaunchPlan): Promise<Gate> {
  const ratios: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const slow = await callsPerSecond(() => spawned(plan), 40);
    ratios.push((await callsPerSecond(() => forked(supervisor, plan), 400)) / slow);
  }
  const limit = { what: 'calls per second, 4 in flight', against: SPAWN, atLeast: 6, unit: '×' };
  return gate(limit, quantile(ratios, 0.5), { min: Math.min(...ratios), max: Math.max(...ratios) });
}

async function callsPerSecond(call: () => Promise<void>, count: number): Promise<number> {
  let left = count;
  const begun = performance.now();
  const lane = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      await call();
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return count / ((performance.now() - begun) / 1000);
}

/** The same with a host that holds much memory, and how long a call blocks its event loop. */
async function largeHostGates(supervisor: Supervisor, plan: LaunchPlan): Promise<readonly Gate[]> {
  const ballast = Buffer.alloc(BALLAST, 1);
  const measured = await interleave(
    [
      { name: SPAWN, repeat: 3, run: () => spawned(plan), gapMs: GAP_MS },
      { name: SPARE, repeat: 10, run: () => forked(supervisor, plan), gapMs: GAP_MS },
    ],
    3,
  );
  const blocked: number[] = [];
  for (let turn = 0; turn < 50; turn += 1) {
    const begun = performance.now();
    const call = forked(supervisor, plan);
    blocked.push(performance.now() - begun);
    await call;
  }
  if (ballast[0] !== 1) throw new Error('the ballast is gone');
  const ratio = ratioOf(measured, SPAWN, SPARE);
  return [
    gate({ what: `${SPARE}, at 1.5 GiB of host memory`, against: SPAWN, atLeast: 25, unit: '×' }, ratio.median, ratio),
    gate(
      { what: 'event loop blocked by a call', against: 'nothing', atMost: 0.3, unit: ' ms' },
      quantile(blocked, 0.5),
    ),
  ];
}

function planOf(python: string, program: string, scratch: string): LaunchPlan {
  return {
    interpreter: python,
    pythonVersion: '3',
    argv: [python, program],
    cwd: scratch,
    env: { PATH: process.env['PATH'] ?? '', PYTHONPYCACHEPREFIX: join(scratch, 'bytecode') },
    hasWire: false,
    stdin: 'pipe',
    limits: {},
    launcher: 'fork',
    importPath: { first: [], last: [] },
    sitePackages: { kind: 'base' },
  };
}

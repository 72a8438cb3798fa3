import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { createSupervisor } from '../../src/process/supervisor.ts';
import { stopProcess } from '../../src/process/stop-process.ts';
import { runnerEntry } from '../../src/provision/runner-entry.ts';
import type { LaunchPlan } from '../../src/plugin-spec.ts';
import { startConversation } from '../../src/wire/conversation.ts';
import { interleave, quantile } from '../measure.ts';
import { gate, type CaseReport } from '../report.ts';
import type { Setting } from '../setting.ts';

const BARE = 'python -I -S -c pass, start to end';
const READY = 'runner, asked for to hello';
/** Host memory under which starts are watched, in bytes. */
const BALLAST = 1024 ** 3;

/** How long a runner takes to be there, and what its start costs the host's event loop. */
export async function start({ python, scratch, rounds }: Setting): Promise<CaseReport> {
  const supervisor = createSupervisor({ interpreter: python });
  await supervisor.start();
  const plan = planOf(python, scratch);
  const hello = async (): Promise<() => Promise<unknown>> => {
    const child = await supervisor.exec(plan);
    if (child.wire === undefined) throw new Error('no wire');
    child.stdout.resume();
    child.stderr.resume();
    const conversation = startConversation(child.wire);
    await conversation.hello();
    return () => stopProcess(child, { ask: () => conversation.close() });
  };
  try {
    const stops: (() => Promise<unknown>)[] = [];
    const measured = await interleave(
      [
        {
          name: BARE,
          repeat: 5,
          run: async () => {
            await once(spawn(python, ['-I', '-S', '-c', 'pass']), 'close');
          },
        },
        {
          name: READY,
          repeat: 5,
          run: async () => {
            stops.push(await hello());
          },
        },
      ],
      rounds,
    );
    await Promise.all(stops.map((stop) => stop()));
    const [bare = 0, ready = 0] = [measured.get(BARE)?.median, measured.get(READY)?.median];
    const blocked = await blockedMs(hello);
    return {
      title: 'Starting a worker',
      rows: [...measured.values()],
      gates: [
        gate({ what: READY, against: `1.6 × ${BARE} + 3 ms`, atMost: 1.6 * bare + 3, unit: ' ms' }, ready),
        gate(
          {
            what: 'event loop blocked by a start, at 1 GiB of host memory',
            against: 'nothing',
            atMost: 0.3,
            unit: ' ms',
          },
          blocked,
        ),
      ],
    };
  } finally {
    await supervisor.close();
  }
}

/** Median time that the synchronous part of a start takes, with a large host. */
async function blockedMs(hello: () => Promise<() => Promise<unknown>>): Promise<number> {
  const ballast = Buffer.alloc(BALLAST, 1);
  const blocked: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const begun = performance.now();
    const starting = hello();
    blocked.push(performance.now() - begun);
    await (
      await starting
    )();
  }
  if (ballast[0] !== 1) throw new Error('the ballast is gone');
  return quantile(blocked, 0.5);
}

function planOf(python: string, scratch: string): LaunchPlan {
  const flags = ['-I', '-S', '-X', 'utf8', '-X', `pycache_prefix=${join(scratch, 'bytecode')}`];
  return {
    interpreter: python,
    pythonVersion: '',
    argv: [python, ...flags, runnerEntry()],
    cwd: scratch,
    env: { PATH: process.env['PATH'] ?? '' },
    hasWire: true,
    stdin: 'null',
    limits: {},
    launcher: 'exec',
    importPath: { first: [], last: [] },
    sitePackages: { kind: 'none' },
  };
}

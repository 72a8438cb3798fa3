import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';

import { createHost, type Host, type PipelineSession } from '../../src/index.ts';
import { assertSame, bestRound, interleave, quantile, ratioOf, type Contender, type Ratio } from '../measure.ts';
import { processTree } from '../process-tree.ts';
import { gate, ratioNote, type CaseReport, type Gate } from '../report.ts';
import type { Setting } from '../setting.ts';
import { chainOf } from './remotemedia.ts';

const BARE = "python -I -S -c 'import asyncio', start to end";
const COLD = 'new host, start to ready';
const EXEC = 'start to ready by exec';
const FORKED = 'start to ready from the fork server';
const STOP = 'stop of an idle session';
/** Time in which a spare is made again between two starts, in milliseconds. */
const GAP_MS = 40;
/** Time in which a fork server comes up, or a new spare; in milliseconds. */
const SETTLE_MS = 1500;
/** Nodes among which memory is shared out. */
const NODES = 8;
/** How long an open session is watched, in milliseconds. */
const IDLE_MS = 2000;

/** What a node costs while nothing is asked of it: its start, its memory, its idle time, its end. */
export async function remotemediaLife(setting: Setting): Promise<CaseReport> {
  const { python, scratch, rounds } = setting;
  const hostOptions = { cacheDir: join(scratch, 'cache'), python: { path: python } };
  const forking = createHost(hostOptions);
  const plain = createHost({ ...hostOptions, launch: 'exec' });
  const openEcho = (host: Host): Promise<PipelineSession> => host.session(chainOf(setting, ['Echo']));
  try {
    // The first node is started by exec; the second one asks for the fork server, which comes up meanwhile.
    for (const host of [plain, forking, forking]) await openEcho(host);
    await rest(SETTLE_MS);
    const measured = await interleave(
      [
        {
          name: BARE,
          repeat: 3,
          gapMs: GAP_MS,
          run: async () => {
            await once(spawn(python, ['-I', '-S', '-c', 'import asyncio']), 'close');
          },
        },
        starting(COLD, () => createHost(hostOptions), openEcho),
        starting(EXEC, () => plain, openEcho),
        starting(FORKED, () => forking, openEcho),
        stopping(() => openEcho(forking)),
      ],
      rounds,
    );
    const best = (name: string): Ratio => bestRound(measured, name);
    const gates = [
      gate({ what: COLD, against: 'the original: 666 ms', atMost: 40, unit: ' ms' }, best(COLD).median, best(COLD)),
      gate({ what: EXEC, against: 'the original: 666 ms', atMost: 40, unit: ' ms' }, best(EXEC).median, best(EXEC)),
      gate(
        { what: FORKED, against: 'the original: 666 ms', atMost: 10, unit: ' ms' },
        best(FORKED).median,
        best(FORKED),
      ),
      gate({ what: STOP, against: 'the original: 64 ms', atMost: 50, unit: ' ms' }, best(STOP).median, best(STOP)),
      await hungStopGate(await forking.session(chainOf(setting, ['Sleeper']))),
      await memoryGate('spawned', () => openEcho(plain), 12),
      await memoryGate('forked', () => openEcho(forking), 2),
      await idleGate(),
    ];
    const notes = [COLD, EXEC, FORKED].map((name) => ratioNote(name, BARE, ratioOf(measured, name, BARE)));
    return { title: 'RemoteMedia: the life of a node', rows: [...measured.values()], gates, notes };
  } finally {
    await Promise.all([forking.close(), plain.close()]);
  }
}

/** A host that is made for the measurement is closed after it, a shared one only loses the session. */
function starting(name: string, hostOf: () => Host, open: (host: Host) => Promise<PipelineSession>): Contender {
  let close: () => Promise<unknown> = () => Promise.resolve();
  return {
    name,
    repeat: 3,
    gapMs: GAP_MS,
    run: async () => {
      const host = hostOf();
      const session = await open(host);
      assertSame(session.state, 'open');
      close = name === COLD ? () => host.close() : () => session.close();
    },
    after: () => close(),
  };
}

function stopping(open: () => Promise<PipelineSession>): Contender {
  let session: PipelineSession | undefined;
  return {
    name: STOP,
    repeat: 3,
    before: async () => {
      session = await open();
      await session.send('hello');
      await session.receive();
    },
    run: async () => {
      await session?.close();
      assertSame(session?.state, 'closed');
    },
  };
}

async function hungStopGate(session: PipelineSession): Promise<Gate> {
  await session.send('hello');
  // It must really hang: neither an output nor an error comes.
  const output = session.receive();
  assertSame(await Promise.race([output, rest(500, 'nothing')]), 'nothing');
  const begun = performance.now();
  await session.close();
  const took = performance.now() - begun;
  return gate({ what: 'stop while a turn hangs', against: 'the original: never', atMost: 5000, unit: ' ms' }, took);
}

/** Everything that this process started, before and after: what is shared is shared out, new spares count. */
async function memoryGate(how: string, open: () => Promise<PipelineSession>, atMost: number): Promise<Gate> {
  await rest(SETTLE_MS);
  const before = processTree();
  const sessions: PipelineSession[] = [];
  for (let index = 0; index < NODES; index += 1) {
    sessions.push(await open());
    await rest(GAP_MS);
  }
  await rest(SETTLE_MS);
  const after = processTree();
  assertSame(after.processes - before.processes, NODES);
  await Promise.all(sessions.map((session) => session.close()));
  const what = `memory (PSS) of an idle node, ${how}`;
  const grown = (after.pssMib - before.pssMib) / NODES;
  return gate({ what, against: 'the original: 79 MiB', atMost, unit: ' MiB' }, grown);
}

/** Every process of every open session, and this one. */
async function idleGate(): Promise<Gate> {
  await rest(SETTLE_MS);
  const shares: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const [before, own] = [processTree(), process.cpuUsage()];
    const begun = performance.now();
    const wait = process.cpuUsage(own);
    await rest(IDLE_MS);
    const { user, system } = process.cpuUsage(own);
    const elapsed = performance.now() - begun;
    const busyMs = processTree().cpuMs - before.cpuMs + (user + system - wait.user - wait.system) / 1000;
    shares.push((busyMs / elapsed) * 100);
  }
  const limit = {
    what: 'processor taken by idle sessions, host and nodes',
    against: 'the original: 100 % of a core',
    atMost: 0.2,
    unit: ' %',
  };
  return gate(limit, quantile(shares, 0.5), { min: Math.min(...shares), max: Math.max(...shares) });
}

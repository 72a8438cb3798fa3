import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from './child.ts';
import { INTERPRETER, type Liveness, openLiveness, planOf, scriptPlan, within } from './fixtures.case.ts';
import { stopProcess } from './stop-process.ts';
import { createSupervisor } from './supervisor.ts';

const supervisor = createSupervisor({ interpreter: INTERPRETER });
let liveness: Liveness;

beforeAll(async () => {
  liveness = await openLiveness();
});

afterAll(async () => {
  await supervisor.close();
  liveness.close();
});

async function start(words: readonly string[]): Promise<Child> {
  const child = await supervisor.exec(scriptPlan(words, { env: { PATH: '/usr/bin:/bin', LIVENESS: liveness.path } }));
  child.stdout.resume();
  child.stderr.resume();
  return child;
}

describe('stopProcess()', () => {
  it('stopProcess() kills a process that ignores SIGTERM, within two seconds', async () => {
    const child = await start(['ignores_term.py']);
    await liveness.reached(1);
    const exit = await within(2000, stopProcess(child));
    expect(exit).toMatchObject({ signal: 'SIGKILL', by: 'host' });
    await within(2000, liveness.reached(0));
  });

  it('stopProcess() lets a process go that ends with its input, and calls that the host’s doing', async () => {
    const child = await start(['forks.py', 'leave', '0']);
    await liveness.reached(1);
    expect(await stopProcess(child)).toMatchObject({ code: 0, signal: null, by: 'host' });
  });

  it('stopProcess() ends what a polite process leaves behind', async () => {
    const child = await start(['forks.py', 'leave', '2']);
    await liveness.reached(3);
    expect(await stopProcess(child)).toMatchObject({ code: 0 });
    await within(2000, liveness.reached(0));
  });

  it('stopProcess() ends a family of which every member ignores SIGTERM', async () => {
    const child = await start(['forks.py', 'stay', '2']);
    await liveness.reached(3);
    expect(await stopProcess(child)).toMatchObject({ signal: 'SIGKILL' });
    await within(2000, liveness.reached(0));
  });

  it('stopProcess() asks first and goes no further when that is enough', async () => {
    const child = await start(['forks.py', 'leave', '0']);
    await liveness.reached(1);
    let hasClosedInput = false;
    const exit = await stopProcess(child, {
      ask: () => child.stdin?.end('bye'),
      closeInput: () => (hasClosedInput = true),
    });
    expect(exit).toMatchObject({ code: 0, by: 'host' });
    expect(hasClosedInput).toBe(false);
  });

  it('stopProcess() settles with the facts of a process that ended long ago', async () => {
    const child = await start(['floods_stderr.py', '0']);
    await child.exited;
    expect(await stopProcess(child)).toMatchObject({ code: 0, signal: null });
  });

  it('stopProcess() terminates a process with SIGTERM when it has no input to close', async () => {
    const child = await supervisor.exec(planOf(['sleep', '100'], { stdin: 'null' }));
    child.stdout.resume();
    child.stderr.resume();
    expect(await stopProcess(child)).toMatchObject({ signal: 'SIGTERM', by: 'host' });
  });
});

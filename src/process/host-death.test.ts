import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTERPRETER, type Liveness, openLiveness, within } from './fixtures.case.ts';

const HOST = fileURLToPath(new URL('doomed-host.case.ts', import.meta.url));
let liveness: Liveness;

beforeEach(async () => {
  liveness = await openLiveness();
});
afterEach(() => liveness.close());

/** A host with seven processes: three leaders, one of them forked, and four daemons. */
async function startHost(ending: string): Promise<ChildProcess> {
  const words = ['--import', 'tsx', HOST, INTERPRETER, liveness.path, ending];
  const host = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'ignore'] });
  await liveness.reached(7);
  return host;
}

describe('death of the host', () => {
  it('death of the host by SIGKILL ends every process within two seconds', async () => {
    const host = await startHost('wait');
    host.kill('SIGKILL');
    await within(2000, liveness.reached(0));
  });

  it.each([
    ['exit', 7],
    ['throw', 1],
    ['idle', 0],
  ])('death of the host by %s ends every process within two seconds', async (ending, code) => {
    const host = await startHost(ending);
    host.stdin!.write('go\n');
    const [status] = (await once(host, 'exit')) as [number];
    expect(status).toBe(code);
    await within(2000, liveness.reached(0));
  });
});

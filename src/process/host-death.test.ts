import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTERPRETER, type Liveness, openLiveness, within } from './fixtures.case.ts';

const HOST = fileURLToPath(new URL('doomed-host.case.ts', import.meta.url));
let liveness: Liveness;
let directory: string;

beforeEach(async () => {
  liveness = await openLiveness();
  directory = mkdtempSync(join(tmpdir(), 'host-'));
});
afterEach(() => {
  liveness.close();
  rmSync(directory, { recursive: true });
});

/** Settles when nothing of the host's meeting place is left. */
async function cleanedUp(): Promise<void> {
  while (readdirSync(directory).some((name) => name.startsWith('charmer-'))) await new Promise(setImmediate);
}

/** A host with seven processes: three leaders, one of them forked, and four daemons. */
async function startHost(ending: string): Promise<ChildProcess> {
  const words = ['--import', 'tsx', HOST, INTERPRETER, liveness.path, ending];
  const env = { ...process.env, TMPDIR: directory, XDG_RUNTIME_DIR: directory };
  const host = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'ignore'], env });
  await liveness.reached(7);
  return host;
}

describe('death of the host', () => {
  it('death of the host by SIGKILL ends every process within two seconds', async () => {
    const host = await startHost('wait');
    host.kill('SIGKILL');
    await within(2000, Promise.all([liveness.reached(0), cleanedUp()]));
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
    await within(2000, Promise.all([liveness.reached(0), cleanedUp()]));
  });
});

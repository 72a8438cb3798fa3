import { afterAll, describe, expect, it } from 'vitest';
import { collectOutput } from './collect-output.ts';
import { planOf, scriptPlan } from './fixtures.case.ts';
import { tailOutput } from './output-tail.ts';
import { createSpawnSupervisor } from './spawn-fallback.ts';
import { stopProcess } from './stop-process.ts';

const supervisor = createSpawnSupervisor();
afterAll(() => supervisor.close());

describe('createSpawnSupervisor()', () => {
  it('createSpawnSupervisor() runs a one-shot command', async () => {
    const child = await supervisor.exec(planOf(['sh', '-c', 'cat; exit 3']));
    const { stdout, exit } = await collectOutput(child, { input: 'in', maxBytes: 100 });
    expect([stdout.toString('utf8'), exit.code, exit.by]).toEqual(['in', 3, 'itself']);
  });

  it('createSpawnSupervisor() connects the wire', async () => {
    const child = await supervisor.exec(scriptPlan(['echoes_wire.py'], { hasWire: true, stdin: 'null' }));
    const output = tailOutput(child.wire!.output);
    child.wire!.input.end('one\n');
    child.wire!.control.end();
    await child.exited;
    await output.ended;
    expect(output.lines).toEqual(['one']);
  });

  it('createSpawnSupervisor() tells a missing directory from a missing program', async () => {
    await expect(supervisor.exec(planOf(['true'], { cwd: '/nonexistent' }))).rejects.toMatchObject({
      code: 'SPAWN_FAILED',
      message: "The working directory '/nonexistent' does not exist",
    });
    await expect(supervisor.exec(planOf(['nonexistent-program']))).rejects.toMatchObject({
      message: "The command 'nonexistent-program' was not found on PATH",
    });
  });

  it('createSpawnSupervisor() stops its children and refuses further ones', async () => {
    const other = createSpawnSupervisor();
    const child = await other.exec(planOf(['sleep', '100'], { stdin: 'null' }));
    expect(await stopProcess(child)).toMatchObject({ signal: 'SIGTERM', by: 'host' });
    const last = await other.exec(planOf(['sleep', '100'], { stdin: 'null' }));
    await other.close();
    expect(await last.exited).toMatchObject({ signal: 'SIGTERM' });
    await expect(other.exec(planOf(['true']))).rejects.toMatchObject({ code: 'HOST_CLOSED' });
  });
});

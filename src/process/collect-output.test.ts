import { afterAll, describe, expect, it } from 'vitest';
import { collectOutput } from './collect-output.ts';
import { INTERPRETER, planOf, scriptPlan, within } from './fixtures.case.ts';
import { createSupervisor } from './supervisor.ts';

const supervisor = createSupervisor({ interpreter: INTERPRETER });
afterAll(() => supervisor.close());

describe('collectOutput()', () => {
  it('collectOutput() writes the input, closes it and returns every byte', async () => {
    const input = Buffer.alloc(3_000_000, 'abc');
    const { stdout, exit } = await collectOutput(await supervisor.exec(planOf(['cat'])), {
      input,
      maxBytes: 3_000_000,
    });
    expect(stdout.equals(input)).toBe(true);
    expect(exit.code).toBe(0);
  });

  it('collectOutput() takes the answer of a process that never reads its input', async () => {
    const input = Buffer.alloc(256 * 1024);
    for (let round = 0; round < 20; round++) {
      const child = await supervisor.exec(planOf(['echo', 'answer']));
      const { stdout, exit } = await collectOutput(child, { input, maxBytes: 1000 });
      expect([stdout.toString('utf8'), exit.code]).toEqual(['answer\n', 0]);
    }
  });

  it('collectOutput() takes the answer of a process that closes its input first', async () => {
    const child = await supervisor.exec(planOf(['sh', '-c', 'exec 0<&-; echo answer']));
    const { stdout } = await collectOutput(child, { input: Buffer.alloc(1 << 20), maxBytes: 1000 });
    expect(stdout.toString('utf8')).toBe('answer\n');
  });

  it('collectOutput() rejects at the first byte too many and kills the process', async () => {
    const child = await supervisor.exec(planOf(['sh', '-c', 'while :; do echo 0123456789; done']));
    await expect(collectOutput(child, { maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'OUTPUT_TOO_LARGE',
      message: 'The plugin wrote more than 100000 bytes to standard output',
    });
    expect(await within(2000, child.exited)).toMatchObject({ signal: 'SIGKILL', by: 'host' });
  });

  it('collectOutput() takes exactly as many bytes as are allowed', async () => {
    const child = await supervisor.exec(planOf(['printf', '0123456789']));
    expect((await collectOutput(child, { maxBytes: 10 })).stdout.toString('utf8')).toBe('0123456789');
  });

  it('collectOutput() drains a flood of standard error and keeps its end', async () => {
    const child = await supervisor.exec(scriptPlan(['floods_stderr.py', '100']));
    const { stdout, stderr } = await collectOutput(child, { maxBytes: 1000 });
    expect(stdout.toString('utf8')).toBe('done\n');
    expect(stderr.bytes).toBe(100 * 1024 * 1024 + 11);
    expect(stderr.lines.at(-1)).toBe('last words');
    expect(stderr.lines[0]).toMatch(/^\[\d+ bytes before this were cut\]$/);
  });

  it('collectOutput() settles although a process left behind holds standard output', async () => {
    const child = await supervisor.exec(planOf(['sh', '-c', 'setsid sleep 300 & echo answer']));
    const { stdout, exit } = await within(2000, collectOutput(child, { maxBytes: 1000 }));
    expect([stdout.toString('utf8'), exit.code]).toEqual(['answer\n', 0]);
  });

  it('collectOutput() keeps what a grandchild writes shortly after the process has ended', async () => {
    const child = await supervisor.exec(
      planOf(['sh', '-c', '(while kill -0 $0 2>/dev/null; do :; done; echo late) & echo early', '$$']),
    );
    const { stdout } = await collectOutput(child, { maxBytes: 1000 });
    expect(stdout.toString('utf8')).toBe('early\nlate\n');
  });
});

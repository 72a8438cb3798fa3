import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { collectOutput } from './collect-output.ts';
import { INTERPRETER, openLiveness, planOf, SCRIPTS, scriptPlan, within } from './fixtures.case.ts';
import { tailOutput } from './output-tail.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

const supervisors: Supervisor[] = [];

function newSupervisor(): Supervisor {
  const supervisor = createSupervisor({ interpreter: INTERPRETER });
  supervisors.push(supervisor);
  return supervisor;
}

afterEach(async () => {
  await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.close()));
});

async function run(plan: Parameters<Supervisor['exec']>[0], input?: string): ReturnType<typeof collectOutput> {
  const child = await newSupervisor().exec(plan);
  return collectOutput(child, { maxBytes: 1 << 20, ...(input === undefined ? {} : { input }) });
}

describe('exec()', () => {
  it('exec() runs a command with exactly the plan’s environment, directory and arguments', async () => {
    const plan = scriptPlan(['shows_itself.py', 'a b', 'é', '$HOME'], { env: { ONLY: 'this', LC_ALL: 'C.UTF-8' } });
    const seen = JSON.parse((await run(plan)).stdout.toString('utf8'));
    expect(seen.argv).toEqual(['a b', 'é', '$HOME']);
    expect(seen.cwd).toBe(SCRIPTS);
    expect(seen.environment).toEqual({ ONLY: 'this', LC_ALL: 'C.UTF-8' });
  });

  it('exec() gives a one-shot child three descriptors and the first free one is 3', async () => {
    const seen = JSON.parse((await run(scriptPlan(['shows_itself.py']))).stdout.toString('utf8'));
    expect(Object.keys(seen.descriptors).sort()).toEqual(['0', '1', '2']);
    expect(seen.nextDescriptor).toBe(3);
  });

  it('exec() gives the null device where nothing is to be read', async () => {
    const plan = scriptPlan(['shows_itself.py'], { stdin: 'null' });
    const seen = JSON.parse((await run(plan)).stdout.toString('utf8'));
    expect(seen.descriptors['0']).toBe('/dev/null');
  });

  it('exec() starts the child in a session and group of its own, with default signals', async () => {
    const seen = JSON.parse((await run(scriptPlan(['shows_itself.py']))).stdout.toString('utf8'));
    expect(seen).toMatchObject({ session: true, group: true, blocked: [] });
    // What the interpreter of the script itself ignores.
    expect(seen.ignored).toEqual([13, 25]);
  });

  it('exec() leaves no signal ignored for a command that is not Python', async () => {
    const { stdout } = await run(planOf(['sh', '-c', 'grep -E "^Sig(Ign|Blk)" /proc/self/status']));
    expect(stdout.toString('utf8')).toBe('SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
  });

  it('exec() sets limits before the command runs', async () => {
    const plan = scriptPlan(['shows_itself.py'], { limits: { memoryMb: 900, cpuSeconds: 7, files: 55 } });
    const seen = JSON.parse((await run(plan)).stdout.toString('utf8'));
    expect(seen.limits).toEqual({ RLIMIT_AS: 900 * 1024 * 1024, RLIMIT_CPU: 7, RLIMIT_NOFILE: 55 });
  });

  it('exec() carries end of input both ways on every descriptor of the wire', async () => {
    const child = await newSupervisor().exec(scriptPlan(['echoes_wire.py'], { hasWire: true, stdin: 'null' }));
    const output = tailOutput(child.wire!.output);
    const dumps = tailOutput(child.wire!.dumps);
    const stdout = tailOutput(child.stdout);
    child.stderr.resume();
    child.wire!.input.write('one\n');
    child.wire!.control.end('control\n');
    await dumps.ended;
    child.wire!.input.end('two\n');
    await Promise.all([output.ended, stdout.ended]);
    expect(output.lines).toEqual(['one', 'two']);
    expect(dumps.lines).toEqual(['control']);
    expect(stdout.lines).toEqual(['both ended']);
    expect((await child.exited).code).toBe(0);
  });

  it('exec() looks a command up on the PATH of the plan', async () => {
    const { stdout } = await run(planOf(['echo', 'found']));
    expect(stdout.toString('utf8')).toBe('found\n');
    await expect(newSupervisor().exec(planOf(['echo'], { env: { PATH: '/nonexistent' } }))).rejects.toMatchObject({
      code: 'SPAWN_FAILED',
      message: "The command 'echo' was not found on PATH",
    });
  });

  it.each([
    ['a missing program', planOf(['/nonexistent/program']), "The program '/nonexistent/program' does not exist"],
    ['a missing directory', planOf(['true'], { cwd: '/nonexistent' }), "The working directory '/nonexistent' does not"],
    ['a directory that is a file', planOf(['true'], { cwd: '/etc/passwd' }), "'/etc/passwd' is not a directory"],
    ['a file that is not executable', planOf(['/etc/passwd']), "The program '/etc/passwd' is not executable"],
    ['no words', planOf([]), 'was not found on PATH'],
    ['a zero byte in an argument', planOf(['true', 'a\0b']), 'embedded null byte'],
    ['a limit above the hard one', planOf(['true'], { limits: { files: 2 ** 40 } }), "The limit 'files'"],
  ])('exec() rejects %s as a failed start, not as an exit', async (_name, plan, message) => {
    const error: unknown = await newSupervisor()
      .exec(plan)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SPAWN_FAILED', name: 'StartError', hint: expect.stringMatching(/./) });
    expect((error as Error).message).toContain(message);
  });

  it('exec() rejects with the reason of the caller and leaves no process', async () => {
    const supervisor = newSupervisor();
    await supervisor.start();
    const reason = new Error('enough');
    const controller = new AbortController();
    const starting = supervisor.exec(scriptPlan(['ignores_term.py']), { signal: controller.signal });
    controller.abort(reason);
    await expect(starting).rejects.toBe(reason);
    await expect(supervisor.exec(planOf(['true']), { signal: controller.signal })).rejects.toBe(reason);
  });

  it('exec() rejects after close() with HOST_CLOSED', async () => {
    const supervisor = newSupervisor();
    await supervisor.close();
    await expect(supervisor.exec(planOf(['true']))).rejects.toMatchObject({ code: 'HOST_CLOSED' });
  });

  it('exec() rejects as a failed start when the supervisor’s interpreter does not exist', async () => {
    const supervisor = createSupervisor({ interpreter: '/nonexistent/python3' });
    await expect(supervisor.exec(planOf(['true']))).rejects.toMatchObject({
      code: 'SPAWN_FAILED',
      message: "The program '/nonexistent/python3' does not exist",
    });
    await supervisor.close();
  });
});

describe('exited', () => {
  it('exited tells the status, the times and the memory of a process', async () => {
    const { exit } = await run(planOf([INTERPRETER, '-c', 'x = b"x" * 50_000_000; sum(range(10**6)); exit(3)']));
    expect(exit).toMatchObject({ code: 3, signal: null, by: 'itself' });
    expect(exit.peakMemoryBytes).toBeGreaterThan(50_000_000);
    expect(exit.cpuMs).toBeGreaterThan(1);
    expect(exit.durationMs).toBeGreaterThan(1);
  });

  it.each([
    ['SIGSEGV', 'itself'],
    ['SIGABRT', 'itself'],
    ['SIGKILL', 'outside'],
    ['SIGTERM', 'outside'],
  ])('exited tells that %s ended a process and that it came from %s', async (signal, by) => {
    const { exit } = await run(planOf(['sh', '-c', `kill -${signal.slice(3)} $$`]));
    expect(exit).toMatchObject({ code: null, signal, by });
  });

  it('exited tells that the host ended a process', async () => {
    const child = await newSupervisor().exec(planOf(['sleep', '100']));
    child.stdout.resume();
    child.stderr.resume();
    await child.signal('SIGTERM');
    expect(await child.exited).toMatchObject({ signal: 'SIGTERM', by: 'host' });
  });

  it('exited settles when the supervisor is killed, and the next verb starts another', async () => {
    const liveness = await openLiveness();
    const supervisor = newSupervisor();
    const env = { PATH: '/usr/bin:/bin', LIVENESS: liveness.path };
    const child = await supervisor.exec(scriptPlan(['ignores_term.py'], { env }));
    await liveness.reached(1);
    const first = supervisor.pid!;
    process.kill(first, 'SIGKILL');
    expect(await child.exited).toMatchObject({ code: null, signal: null, by: 'outside' });
    await within(2000, liveness.reached(0));
    const again = await supervisor.exec(planOf(['true']));
    expect((await again.exited).code).toBe(0);
    expect(supervisor.pid).not.toBe(first);
    liveness.close();
  });
});

describe('close()', () => {
  it('close() ends descendants that forked twice, took a session and ignore SIGTERM', async () => {
    const liveness = await openLiveness();
    const supervisor = newSupervisor();
    const env = { PATH: '/usr/bin:/bin', LIVENESS: liveness.path };
    await supervisor.exec(scriptPlan(['forks.py', 'stay', '3'], { env }));
    await supervisor.exec(scriptPlan(['ignores_term.py'], { env }));
    await liveness.reached(5);
    await within(2000, Promise.all([supervisor.close(), liveness.reached(0)]));
    expect(supervisor.pid).toBeUndefined();
    liveness.close();
  });

  it('close() may come twice and before anything was started', async () => {
    const supervisor = newSupervisor();
    await Promise.all([supervisor.close(), supervisor.close()]);
    const other = newSupervisor();
    await other.start();
    await Promise.all([other.close(), other.close()]);
    await other.close();
  });
});

describe('what a process leaves behind', () => {
  it('ends within two seconds of the process, in sessions of its own and deaf to SIGTERM', async () => {
    const liveness = await openLiveness();
    const supervisor = newSupervisor();
    const env = { PATH: '/usr/bin:/bin', LIVENESS: liveness.path };
    const child = await supervisor.exec(scriptPlan(['forks.py', 'leave', '2'], { env }));
    const other = await supervisor.exec(scriptPlan(['forks.py', 'stay', '1'], { env }));
    await liveness.reached(5);
    child.stdin!.end();
    await child.exited;
    await within(2000, liveness.reached(2));
    expect([...liveness.living()].sort()).toEqual(['daemon-0', 'leader']);
    await other.signal('SIGKILL', 'group');
    await within(2000, liveness.reached(0));
    liveness.close();
  });
});

describe('descriptors', () => {
  it('exec() leaks none over two hundred starts and ends', async () => {
    const supervisor = newSupervisor();
    const cycle = async (): Promise<void> => {
      const child = await supervisor.exec(planOf(['true'], { hasWire: true }));
      for (const stream of [child.stdout, child.stderr, child.wire!.output, child.wire!.dumps]) stream.resume();
      const closed = [child.stdin!, child.stdout, child.stderr, ...Object.values(child.wire!)].map(
        (stream) => stream.closed || new Promise((resolve) => stream.once('close', resolve)),
      );
      await Promise.all([child.exited, ...closed]);
    };
    await cycle();
    const count = (pid: number | 'self'): number => readdirSync(`/proc/${pid}/fd`).length;
    const before = [count('self'), count(supervisor.pid!)];
    for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 10 }, cycle));
    expect([count('self'), count(supervisor.pid!)]).toEqual(before);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from './child.ts';
import { collectOutput } from './collect-output.ts';
import { INTERPRETER, type Liveness, openLiveness, SCRIPTS, scriptPlan, within } from './fixtures.case.ts';
import { tailOutput } from './output-tail.ts';
import { stopProcess } from './stop-process.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

let supervisor: Supervisor;
let liveness: Liveness;

beforeEach(async () => {
  supervisor = createSupervisor({ interpreter: INTERPRETER });
  liveness = await openLiveness();
});
afterEach(async () => {
  await supervisor.close();
  liveness.close();
});

function plan(words: readonly string[], env: Readonly<Record<string, string>> = {}): LaunchPlan {
  return scriptPlan(words, { env: { PATH: '/usr/bin:/bin', LIVENESS: liveness.path, ...env } });
}

async function fork(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Child> {
  const wanted = plan(words, env);
  await supervisor.prepare(wanted);
  const child = await supervisor.fork(wanted);
  expect([child.launcher, child.launcherReason]).toEqual(['fork', undefined]);
  return child;
}

async function answer(child: Child): Promise<string> {
  return (await collectOutput(child, { maxBytes: 1 << 20 })).stdout.toString('utf8');
}

/** Fork servers of this test's supervisor. */
function servers(): readonly number[] {
  return childrenOf(supervisor.pid ?? 0).filter((pid) => aboutProcess(pid, 'cmdline').includes('\0--server\0'));
}

function childrenOf(parent: number): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => /\) (\S) (\d+)/.exec(aboutProcess(pid, 'stat'))?.[2] === String(parent));
}

/** What the kernel tells of a process; nothing of one that has ended. */
function aboutProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

describe('fork()', () => {
  it('fork() starts processes that come and go by the hundred', async () => {
    const wanted = plan(['lists_modules.py', 'json', 'left']);
    await supervisor.prepare(wanted);
    const one = async (): Promise<string> => {
      const child = await supervisor.fork(wanted);
      expect(child.launcher).toBe('fork');
      return answer(child);
    };
    await one();
    for (let batch = 0; batch < 10; batch++) {
      const answers = await Promise.all(Array.from({ length: 10 }, one));
      expect(answers).toEqual(Array.from({ length: 10 }, () => "['json']\n"));
    }
  });

  it('fork() tells the exit of a process that ends itself without a word', async () => {
    for (const [how, facts] of [
      ['hard', { code: 4, signal: null, by: 'itself' }],
      ['3', { code: 3, signal: null, by: 'itself' }],
    ] as const) {
      const child = await fork(['fresh/exits.py', how]);
      const { exit } = await collectOutput(child, { maxBytes: 1000 });
      expect(exit).toMatchObject(facts);
      expect(exit.cpuMs).toBeGreaterThan(0);
      expect(exit.peakMemoryBytes).toBeGreaterThan(1 << 20);
    }
  });

  it('fork() rejects a missing directory as exec does', async () => {
    const wanted = { ...plan(['lists_modules.py']), cwd: '/nonexistent' };
    await supervisor.prepare(wanted);
    await expect(supervisor.fork(wanted)).rejects.toMatchObject({
      code: 'SPAWN_FAILED',
      message: "The working directory '/nonexistent' does not exist",
    });
  });

  it('fork() rejects with the reason of the caller', async () => {
    const wanted = plan(['ignores_term.py']);
    await supervisor.prepare(wanted);
    const reason = new Error('enough');
    const controller = new AbortController();
    const forking = supervisor.fork(wanted, { signal: controller.signal });
    controller.abort(reason);
    await expect(forking).rejects.toBe(reason);
    await expect(supervisor.fork(wanted, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('fork() makes processes that stopProcess() ends, with all that they leave behind', async () => {
    const child = await fork(['forks.py', 'stay', '2']);
    child.stdout.resume();
    child.stderr.resume();
    await liveness.reached(3);
    expect(await within(2000, stopProcess(child))).toMatchObject({ signal: 'SIGKILL', by: 'host' });
    await within(2000, liveness.reached(0));
  });

  it('fork() makes processes whose leavings end within two seconds of them', async () => {
    const child = await fork(['forks.py', 'leave', '2']);
    await liveness.reached(3);
    child.stdin!.end();
    expect(await child.exited).toMatchObject({ code: 0 });
    await within(2000, liveness.reached(0));
  });

  it('fork() uses another process when its spares have been killed', async () => {
    const wanted = plan(['lists_modules.py', 'json']);
    await supervisor.prepare(wanted);
    const [server = 0] = servers();
    const spares = childrenOf(server);
    expect(spares).toHaveLength(2);
    for (const pid of spares) process.kill(pid, 'SIGKILL');
    const child = await supervisor.fork(wanted);
    expect(await answer(child)).toBe("['json']\n");
  });
});

describe('a fork server', () => {
  it('a fork server that is killed ends no running process and is replaced', async () => {
    const child = await fork(['forks.py', 'leave', '0']);
    await liveness.reached(1);
    const [first = 0] = servers();
    process.kill(first, 'SIGKILL');
    await supervisor.prepare(plan(['lists_modules.py']));
    child.stdin!.end();
    expect(await child.exited).toMatchObject({ code: 0, signal: null, by: 'itself' });
    const again = await fork(['lists_modules.py', 'json']);
    expect(await answer(again)).toBe("['json']\n");
    expect(servers()).not.toContain(first);
  });

  it('a fork server that is killed leaves its processes to the supervisor', async () => {
    const child = await fork(['ignores_term.py']);
    await liveness.reached(1);
    process.kill(servers()[0]!, 'SIGKILL');
    child.stdout.resume();
    expect(await within(2000, stopProcess(child))).toMatchObject({ signal: 'SIGKILL' });
    await within(2000, liveness.reached(0));
  });

  it('a fork server dies with the host, and so do its processes', async () => {
    await fork(['forks.py', 'stay', '2']);
    await liveness.reached(3);
    await within(2000, Promise.all([supervisor.close(), liveness.reached(0)]));
  });

  it('a fork server imports what the operator asks for, but nothing that starts threads', async () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    const user = execFileSync(INTERPRETER, ['-c', 'import site; print(site.getusersitepackages())'], {
      env: { HOME: home },
      encoding: 'utf8',
    }).trim();
    mkdirSync(user, { recursive: true });
    writeFileSync(join(user, 'tame_library.py'), 'value = 1\n');
    const threaded = 'import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n';
    writeFileSync(join(user, 'threaded_library.py'), threaded);
    writeFileSync(join(user, 'broken_library.py'), '1 / 0\n');
    const preload = ['tame_library', 'threaded_library', 'broken_library', 'no_such_library'];
    const wanted = plan(['lists_modules.py', ...preload], { HOME: home });
    await supervisor.prepare(wanted, { preload });
    const child = await supervisor.fork(wanted, { preload });
    expect(child.launcher).toBe('fork');
    expect(await answer(child)).toBe("['tame_library']\n");
    rmSync(home, { recursive: true });
  });

  it('a fork server finds a module that is named with its directory, which is on no path afterwards', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'library-'));
    writeFileSync(join(directory, 'placed_library.py'), 'value = 1\n');
    writeFileSync(join(directory, 'its_neighbour.py'), 'value = 1\n');
    const preload = [`${directory}:placed_library`, 'its_neighbour'];
    const wanted = plan(['lists_modules.py', 'placed_library', 'its_neighbour']);
    await supervisor.prepare(wanted, { preload });
    const child = await supervisor.fork(wanted, { preload });
    expect(child.launcher).toBe('fork');
    expect(await answer(child)).toBe("['placed_library']\n");
    rmSync(directory, { recursive: true });
  });

  it('a fork server makes room for the ninth, and processes of the evicted one run on', async () => {
    const child = await fork(['forks.py', 'leave', '0'], { TZ: 'A0' });
    await liveness.reached(1);
    for (let index = 1; index <= 9; index++) {
      const wanted = plan(['lists_modules.py'], { TZ: `A${index}` });
      await supervisor.prepare(wanted);
    }
    child.stdin!.end();
    expect(await child.exited).toMatchObject({ code: 0 });
    const last = await fork(['lists_modules.py'], { TZ: 'A9' });
    await answer(last);
    const eightLeft = async (): Promise<void> => {
      while (servers().length !== 8) await new Promise(setImmediate);
    };
    await within(2000, eightLeft());
  });

  it('a fork server of one trust domain serves no other', async () => {
    const wanted = plan(['lists_modules.py']);
    await supervisor.prepare(wanted, { domain: 'one' });
    const child = await supervisor.fork(wanted, { domain: 'two' });
    expect(child.launcherReason).toBe('the fork server is starting');
    await answer(child);
  });

  it('a fork server makes resident workers that say hello on the wire', async () => {
    const runner = fileURLToPath(new URL('../../runner/charmer_runner.py', import.meta.url));
    const words = [INTERPRETER, '-I', '-S', '-X', 'utf8', runner];
    const wanted = { ...plan([]), argv: words, hasWire: true, stdin: 'null' as const, cwd: SCRIPTS };
    await supervisor.prepare(wanted);
    const child = await supervisor.fork(wanted);
    expect([child.launcher, child.launcherReason]).toEqual(['fork', undefined]);
    const stderr = tailOutput(child.stderr);
    child.stdout.resume();
    const hello = await new Promise<Buffer>((resolve) => child.wire!.output.once('data', resolve));
    // A frame: its length, then its kind, the first of the list.
    expect(hello.readUInt32LE(0)).toBe(hello.length - 12);
    expect(hello.toString('utf8', 12)).toContain('"python"');
    child.wire!.control.end();
    child.wire!.input.end();
    expect((await within(2000, child.exited)).code).toBe(0);
    await stderr.ended;
    expect(stderr.lines).toEqual([]);
  });

  it('a fork server leaks no descriptors over two hundred calls', async () => {
    const wanted = plan(['lists_modules.py']);
    await supervisor.prepare(wanted);
    const one = async (): Promise<string> => answer(await supervisor.fork(wanted));
    for (let warm = 0; warm < 3; warm++) await Promise.all(Array.from({ length: 10 }, one));
    const [server = 0] = servers();
    await supervisor.prepare(wanted);
    const count = (): number => readdirSync(`/proc/${server}/fd`).length;
    const before = count();
    for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 10 }, one));
    await supervisor.prepare(wanted);
    // The server may be looking for what the last calls left behind, which takes a descriptor for a moment.
    const settled = async (): Promise<void> => {
      while (count() > before) await new Promise(setImmediate);
    };
    await within(2000, settled());
  });
});

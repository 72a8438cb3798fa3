/** One row of `docs/reference/fresh-process.md` a test: the same script by exec and by fork, with the same outcome. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaunchPlan } from '../plugin-spec.ts';
import { collectOutput } from './collect-output.ts';
import { INTERPRETER, planOf, SCRIPTS } from './fixtures.case.ts';
import { createSupervisor } from './supervisor.ts';

const FRESH = join(SCRIPTS, 'fresh');
const supervisor = createSupervisor({ interpreter: INTERPRETER });
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fresh-'));
});
afterAll(async () => {
  await supervisor.close();
  rmSync(directory, { recursive: true });
});

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly launcher: string;
  readonly reason: string | undefined;
}

interface Case {
  readonly args?: readonly string[];
  readonly input?: string;
  readonly plan?: Partial<LaunchPlan>;
  readonly env?: Readonly<Record<string, string>>;
}

function planFor(script: string, { args = [], plan = {}, env = {} }: Case): LaunchPlan {
  const base = { PATH: '/usr/bin:/bin', HOME: '/root', PYTHONPYCACHEPREFIX: join(directory, 'cache') };
  return planOf([INTERPRETER, script, ...args], { cwd: FRESH, env: { ...base, ...env }, ...plan });
}

async function run(plan: LaunchPlan, verb: 'exec' | 'fork', input: string): Promise<Outcome> {
  if (verb === 'fork') await supervisor.prepare(plan);
  const child = await supervisor[verb](plan);
  const { stdout, stderr, exit } = await collectOutput(child, { input, maxBytes: 1 << 20 });
  const { code, signal } = exit;
  const text = stderr.lines.join('\n').replaceAll(/ at 0x[0-9a-f]+/g, '');
  const reason = child.launcherReason;
  return {
    stdout: stdout.toString('utf8').replaceAll(/ at 0x[0-9a-f]+/g, ''),
    stderr: text,
    code,
    signal,
    launcher: child.launcher,
    reason,
  };
}

/** Runs a script both ways, expects one outcome and returns it. */
async function same(script: string, given: Case = {}): Promise<Outcome> {
  const plan = planFor(script, given);
  const byExec = await run(plan, 'exec', given.input ?? '');
  const byFork = await run(plan, 'fork', given.input ?? '');
  expect({ launcher: byFork.launcher, reason: byFork.reason }).toEqual({ launcher: 'fork', reason: undefined });
  expect(byFork).toEqual({ ...byExec, launcher: 'fork' });
  return byFork;
}

describe('a forked process', () => {
  it.each([
    ['identity.py', 'True True'],
    ['main_module.py', '__name__ __main__'],
    ['directory.py', FRESH],
    ['descriptors.py', '[3, 4, 5,'],
    ['interpreter.py', 'True'],
    ['streams.py', 'utf-8'],
    ['exit_hooks.py', 'gone'],
    ['forks.py', 'child left 7'],
    ['threads.py', 'counted'],
    ['signals.py', 'default_int_handler'],
    ['source.py', 'class Own'],
    ['coroutines.py', 'from a child'],
    ['c_output.py', 'from C'],
    ['locale_of.py', 'utf-8'],
    ['limits.py', 'RLIMIT_NOFILE'],
    ['subprocesses.py', 'three'],
    ['closes_descriptors.py', 'said'],
  ])('%s: a forked process does what one started by exec does', async (script, part) => {
    expect((await same(script)).stdout.toLowerCase()).toContain(part.toLowerCase());
  });

  it('arguments.py: a forked process has the words of the command', async () => {
    expect((await same('arguments.py', { args: ['a b', 'é', '--flag'] })).stdout).toContain('True');
  });

  it('environment.py: a forked process has the plan’s environment, in order, and its time zone', async () => {
    const env = { ZED: '1', GIVEN: 'x', TZ: 'Asia/Tokyo', EMPTY: '', 'ODD NAME': 'a=b' };
    const { stdout } = await same('environment.py', { env });
    expect(stdout).toContain("('ZED', '1'), ('GIVEN', 'x')");
    expect(stdout).toContain('JST');
  });

  it.each([
    ['two directories and one twice', '/usr/lib:/nonexistent:/usr/lib'],
    ['an empty entry and a relative one', ':lib'],
    ['nothing', ''],
  ])('import_path.py: a forked process has PYTHONPATH with %s', async (_name, value) => {
    await same('import_path.py', { env: { PYTHONPATH: value } });
  });

  it('import_path.py: a forked process has the real directory of a linked script first', async () => {
    const link = join(directory, 'linked.py');
    symlinkSync(join(FRESH, 'import_path.py'), link);
    const { stdout } = await same(link, { plan: { cwd: directory } });
    expect(stdout).toContain(`['${FRESH}'`);
  });

  it('streams.py: a forked process has the null device where nothing is to be read', async () => {
    await same('streams.py', { plan: { stdin: 'null' } });
  });

  it.each([
    ['PYTHONUTF8', { PYTHONUTF8: '1', LC_ALL: 'C' }],
    ['a locale that is coerced', { LANG: 'C' }],
    ['PYTHONIOENCODING', { PYTHONIOENCODING: 'latin-1:replace' }],
    ['PYTHONUNBUFFERED', { PYTHONUNBUFFERED: '1' }],
  ])('streams.py and locale_of.py: a forked process obeys %s', async (_name, env) => {
    await same('streams.py', { env: { ...env } });
    await same('locale_of.py', { env: { ...env } });
    await same('environment.py', { env: { ...env, GIVEN: '' } });
  });

  it('interpreter.py: a forked process has the flags of the command', async () => {
    for (const flags of [['-I'], ['-s', '-B'], ['-E', '-u'], ['-X', 'utf8']]) {
      await same('interpreter.py', { plan: { argv: [INTERPRETER, ...flags, 'interpreter.py'] } });
    }
  });

  it('earlier_calls.py: a forked process finds nothing of earlier calls', async () => {
    const first = await same('earlier_calls.py');
    const second = await same('earlier_calls.py');
    expect(second).toEqual(first);
    expect(first.stdout).toContain('False False False None None');
  });

  it('randomness.py: two forked processes draw different numbers', async () => {
    const plan = planFor('randomness.py', {});
    const drawn = await Promise.all([run(plan, 'fork', ''), run(plan, 'fork', ''), run(plan, 'fork', '')]);
    const numbers = drawn.flatMap(({ stdout }) => stdout.trim().split(' '));
    expect(new Set(numbers).size).toBe(9);
  });

  it('open_file.py: a forked process keeps what was written to files that nobody closes', async () => {
    const out = join(directory, 'out');
    await same('open_file.py', { args: [out] });
    const kept = ['text', 'cycle', 'local'].map((kind) => readFileSync(`${out}.${kind}`, 'utf8'));
    expect(kept).toEqual(['text', 'cycle', 'local']);
  });

  it.each([
    'None',
    '0',
    '3',
    '256',
    '-1',
    'True',
    '3.5',
    "'words'",
    '(1, 2)',
    'raise',
    'nested',
    'end',
    'hard',
    'flushed hard',
  ])('exits.py: a forked process that ends by %s has the same status and words', async (how) => {
    await same('exits.py', { args: [how] });
  });

  it.each(['chain', 'note', 'hook', 'broken hook', 'hook exits', 'interrupt', 'import', 'assert', 'group'])(
    'uncaught.py: a forked process that ends by an exception (%s) says the same, without our frames',
    async (how) => {
      const { stderr } = await same('uncaught.py', { args: [how] });
      expect(stderr).not.toContain('_supervisor');
    },
  );

  it('uncaught.py: a forked process that is interrupted ends by the signal', async () => {
    expect(await same('uncaught.py', { args: ['interrupt'] })).toMatchObject({ code: null, signal: 'SIGINT' });
  });

  it.each(['fork', 'spawn', 'forkserver'])(
    'processes.py: a forked process runs multiprocessing by %s',
    async (method) => {
      expect((await same('processes.py', { args: [method] })).stdout).toContain('[1, 2, 3]');
    },
  );

  it.each(['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGHUP', 'SIGUSR1', 'SIGCHLD', 'SIGPIPE'])(
    'signals.py: a forked process that gets %s takes it the same way',
    async (signal) => {
      await same('signals.py', { args: [signal] });
    },
  );

  it.each(['text', 'buffer', 'descriptor', 'all'])('reads.py: a forked process reads its input by %s', async (how) => {
    await same('reads.py', { args: [how], input: 'one é\ntwo\r\nthree' });
    await same('reads.py', { args: ['all'], plan: { stdin: 'null' } });
  });

  it.each(['closed', 'object', 'none'])(
    'broken_output.py: a forked process whose output is %s says the same',
    async (how) => {
      await same('broken_output.py', { args: [how] });
    },
  );

  it('limits.py: a forked process has the limits of the plan', async () => {
    const { stdout } = await same('limits.py', { plan: { limits: { memoryMb: 4000, cpuSeconds: 9, files: 99 } } });
    expect(stdout).toContain('RLIMIT_NOFILE (99, 99)');
  });

  it('a forked process has two frames of ours below its own', async () => {
    const script = join(directory, 'depth.py');
    writeFileSync(
      script,
      'import sys\nframe, depth = sys._getframe(), 0\nwhile frame := frame.f_back: depth += 1\nprint(depth)\n',
    );
    const plan = planFor(script, {});
    const depths = [await run(plan, 'exec', ''), await run(plan, 'fork', '')].map(({ stdout }) => Number(stdout));
    expect(depths).toEqual([0, 2]);
  });

  it('a forked process runs a script as it is now', async () => {
    const script = join(directory, 'edited.py');
    const seen: string[] = [];
    for (const word of ['one', 'two', 'one']) {
      writeFileSync(script, `print('${word}')\n`);
      seen.push((await same(script)).stdout);
    }
    expect(seen).toEqual(['one\n', 'two\n', 'one\n']);
  });

  it('a forked process reads a script in the encoding that it declares', async () => {
    const script = join(directory, 'latin.py');
    writeFileSync(script, Buffer.from("# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n", 'latin1'));
    expect((await same(script)).stdout).toBe("'\\xe9'\n");
    writeFileSync(script, Buffer.from("print('\xe9')\n", 'latin1'));
  });
});

describe('launcherReason', () => {
  const cases: readonly (readonly [string, Partial<LaunchPlan> & { env?: Record<string, string> }, string])[] = [
    ['PYTHONHASHSEED', { env: { PYTHONHASHSEED: '1' } }, "the variable 'PYTHONHASHSEED'"],
    ['LD_PRELOAD', { env: { LD_PRELOAD: '' } }, "the variable 'LD_PRELOAD'"],
    ['another interpreter', { argv: ['/usr/bin/env', 'python3'] }, "'/usr/bin/env' is another program"],
    ['a command that is not Python', { argv: ['sh', '-c', 'true'] }, "'sh' is not Python"],
    ['a flag', { argv: [INTERPRETER, '-c', 'pass'] }, "the interpreter flag '-c'"],
    ['a directory', { argv: [INTERPRETER, '.'] }, 'the command does not run a Python file'],
  ];
  it.each(cases)('launcherReason tells that %s needs a start of its own', async (_name, overrides, reason) => {
    const plan = planFor('identity.py', { plan: overrides });
    await supervisor.prepare(plan);
    const child = await supervisor.fork(plan);
    await collectOutput(child, { maxBytes: 1 << 20 });
    expect([child.launcher, child.launcherReason]).toEqual(['exec', reason]);
  });

  it('launcherReason tells that a module next to the script hides one that was loaded ahead', async () => {
    const own = join(directory, 'own');
    mkdirSync(own);
    writeFileSync(join(own, 'json.py'), "name = 'mine'\n");
    writeFileSync(join(own, 'main.py'), 'import json\nprint(json.name)\n');
    const plan = planFor(join(own, 'main.py'), {});
    await supervisor.prepare(plan);
    const child = await supervisor.fork(plan);
    const { stdout } = await collectOutput(child, { maxBytes: 100 });
    expect(stdout.toString('utf8')).toBe('mine\n');
    expect(child.launcherReason).toContain("comes before the module 'json' that was loaded ahead");
  });

  it('launcherReason tells that the start customizes itself from PYTHONPATH', async () => {
    const site = join(directory, 'site');
    mkdirSync(site);
    writeFileSync(join(site, 'sitecustomize.py'), "import builtins\nbuiltins.customized = 'yes'\n");
    copyFileSync(join(FRESH, 'identity.py'), join(site, 'main.py'));
    const plan = planFor('identity.py', { env: { PYTHONPATH: site } });
    await supervisor.prepare(plan);
    const child = await supervisor.fork(plan);
    await collectOutput(child, { maxBytes: 1000 });
    expect(child.launcherReason).toContain("'sitecustomize.py' is on PYTHONPATH");
  });

  it('launcherReason tells that the script cannot be read, in the interpreter’s own words', async () => {
    const plan = planFor('/nonexistent/main.py', {});
    await supervisor.prepare(plan);
    const child = await supervisor.fork(plan);
    const { exit, stderr } = await collectOutput(child, { maxBytes: 1000 });
    expect([child.launcher, exit.code]).toEqual(['exec', 2]);
    expect(stderr.lines[0]).toContain("can't open file '/nonexistent/main.py'");
  });

  it.each([
    ['not Python', Buffer.from('def broken(:\n')],
    ['not UTF-8', Buffer.from("print('\xe9')\n", 'latin1')],
  ])('launcherReason tells that a script that is %s needs the interpreter’s own words', async (_name, bytes) => {
    const script = join(directory, 'unreadable.py');
    writeFileSync(script, bytes);
    const plan = planFor(script, {});
    const byExec = await run(plan, 'exec', '');
    const byFork = await run(plan, 'fork', '');
    expect(byFork).toEqual({ ...byExec, reason: expect.stringContaining('the script does not compile') });
  });

  it('launcherReason tells that the interpreter is still starting', async () => {
    const child = await supervisor.fork(planFor('identity.py', { env: { HOME: '/somewhere/else' } }));
    await collectOutput(child, { maxBytes: 1000 });
    expect(child.launcherReason).toBe('the fork server is starting');
  });
});

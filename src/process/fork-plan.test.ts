import { describe, expect, it } from 'vitest';
import type { LaunchPlan } from '../plugin-spec.ts';
import { planOf } from './fixtures.case.ts';
import { forkablePlan } from './fork-plan.ts';

const PYTHON = '/opt/python/bin/python3';
const GROUP = { preload: [], domain: '' };

function keyOf(
  overrides: Partial<LaunchPlan>,
  group: typeof GROUP | { preload: string[]; domain: string } = GROUP,
): string {
  const answer = forkablePlan(planOf([PYTHON, 'main.py'], { interpreter: PYTHON, ...overrides }), group);
  return 'key' in answer ? answer.key : answer.reason;
}

describe('forkablePlan()', () => {
  it('forkablePlan() gives plans one server that differ in script, arguments, directory and limits', () => {
    const other = { argv: [PYTHON, '/x/other.py', '-v'], cwd: '/x', limits: { cpuSeconds: 3 } };
    expect(keyOf(other)).toBe(keyOf({}));
    expect(keyOf({ env: { SECRET: 'x', PYTHONPATH: '/lib', PATH: '/usr/bin:/bin' } })).toBe(keyOf({}));
  });

  it.each<[string, Partial<LaunchPlan>]>([
    ['flags', { argv: [PYTHON, '-I', 'main.py'] }],
    ['the first word', { argv: ['python3', 'main.py'] }],
    ['the home directory', { env: { PATH: '/usr/bin:/bin', HOME: '/home/x' } }],
    ['the locale', { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } }],
    ['the byte-code directory', { env: { PATH: '/usr/bin:/bin', PYTHONPYCACHEPREFIX: '/x' } }],
    ['the wire', { hasWire: true }],
  ])('forkablePlan() gives plans different servers that differ in %s', (_name, overrides) => {
    const key = keyOf(overrides);
    expect(key.startsWith('[')).toBe(true);
    expect(key).not.toBe(keyOf({}));
  });

  it('forkablePlan() gives different servers to other preloads and trust domains', () => {
    const keys = [keyOf({}), keyOf({}, { preload: ['numpy'], domain: '' }), keyOf({}, { preload: [], domain: 'x' })];
    expect(new Set(keys).size).toBe(3);
  });

  it('forkablePlan() starts the server with nothing of the plan’s environment that the start does not need', () => {
    const env = { PATH: '/bin', HOME: '/h', TOKEN: 'secret', PYTHONPATH: '/lib', LC_TIME: 'C', http_proxy: 'x' };
    const answer = forkablePlan(planOf([PYTHON, 'main.py'], { interpreter: PYTHON, env }), GROUP);
    expect('startEnv' in answer && answer.startEnv).toEqual({ PATH: '/bin', HOME: '/h', LC_TIME: 'C' });
  });

  it.each<[Partial<LaunchPlan>, string]>([
    [{ argv: [PYTHON, '-m', 'json.tool'] }, "the interpreter flag '-m'"],
    [{ argv: [PYTHON, '-X', 'importtime', 'main.py'] }, "the interpreter flag '-X'"],
    [{ argv: [PYTHON] }, 'the command does not run a Python file'],
    [{ argv: [PYTHON, 'main'] }, 'the command does not run a Python file'],
    [{ argv: ['/other/python3', 'main.py'] }, "'/other/python3' is another program"],
    [{ argv: ['ruby', 'main.py'] }, "'ruby' is not Python"],
    [{ env: { PYTHONPROFILEIMPORTTIME: '1' } }, "the variable 'PYTHONPROFILEIMPORTTIME'"],
    [{ env: { DYLD_INSERT_LIBRARIES: 'x' } }, "the variable 'DYLD_INSERT_LIBRARIES'"],
  ])('forkablePlan() says why %o is started by exec', (overrides, reason) => {
    expect(keyOf(overrides)).toBe(reason);
  });
});

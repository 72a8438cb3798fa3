import { describe, expect, it } from 'vitest';
import { unknownExit } from './exit-facts.ts';
import { describeExit, exitReport } from './exit-report.ts';

describe('describeExit()', () => {
  it.each([
    [{ code: 3, signal: null, by: 'itself' }, 'exited with code 3'],
    [{ code: null, signal: 'SIGSEGV', by: 'itself' }, 'was killed by SIGSEGV'],
    [{ code: null, signal: 'SIGKILL', by: 'outside' }, 'was killed by SIGKILL (out of memory?)'],
    [{ code: null, signal: 'SIGKILL', by: 'host' }, 'was killed by SIGKILL'],
    [{ code: null, signal: null, by: 'outside' }, 'ended unseen'],
  ] as const)('describeExit() says of %o that it %s', (exit, text) => {
    expect(describeExit(exit)).toBe(text);
  });
});

describe('exitReport()', () => {
  it('exitReport() joins the facts and the last lines', () => {
    expect(exitReport({ ...unknownExit(7, 12), code: 0 }, ['last'])).toEqual({
      pid: 7,
      code: 0,
      signal: null,
      by: 'outside',
      durationMs: 12,
      cpuMs: 0,
      peakMemoryBytes: 0,
      stderrTail: ['last'],
    });
  });
});

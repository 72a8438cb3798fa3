import type { ExitReport } from '../errors.ts';
import type { ExitFacts } from './child.ts';
import type { OutputTail } from './output-tail.ts';

/** The facts of an exit with the last lines of standard error: what errors and `close()` carry. */
export function exitReport(facts: ExitFacts, stderr: OutputTail | readonly string[]): ExitReport {
  return { ...facts, stderrTail: 'lines' in stderr ? stderr.lines : stderr };
}

/** An exit as the end of a sentence: `exited with code 3`, `was killed by SIGSEGV`. */
export function describeExit(exit: Pick<ExitReport, 'code' | 'signal' | 'by'>): string {
  if (exit.signal === null) return exit.code === null ? 'ended unseen' : `exited with code ${exit.code}`;
  const isLikelyMemory = exit.signal === 'SIGKILL' && exit.by === 'outside';
  return `was killed by ${exit.signal}${isLikelyMemory ? ' (out of memory?)' : ''}`;
}

import type { ExitFacts } from './child.ts';
import { signalName } from './signal-names.ts';
import type { ExitEvent } from './supervisor-link.ts';

/** Signals that a process brings upon itself; any other that the host did not send came from outside. */
const FAULTS = new Set([
  ...['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT', 'SIGTRAP', 'SIGSYS'],
  ...['SIGPIPE', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGXCPU', 'SIGXFSZ', 'SIGSTKFLT'],
]);

/** What the supervisor told about an exit, with names for numbers and a judgement of who caused it. */
export function exitFacts(pid: number, event: ExitEvent, wasSignalled: boolean): ExitFacts {
  const signal = event.signal === null ? null : signalName(event.signal);
  const { code, durationMs, cpuMs, peakMemoryBytes } = event;
  return { pid, code, signal, by: whoEnded(signal, wasSignalled), durationMs, cpuMs, peakMemoryBytes };
}

/** The facts of an exit that nobody saw. */
export function unknownExit(pid: number, durationMs: number): ExitFacts {
  return { pid, code: null, signal: null, by: 'outside', durationMs, cpuMs: 0, peakMemoryBytes: 0 };
}

function whoEnded(signal: string | null, wasSignalled: boolean): ExitFacts['by'] {
  if (signal !== null && FAULTS.has(signal)) return 'itself';
  if (wasSignalled) return 'host';
  return signal === null ? 'itself' : 'outside';
}

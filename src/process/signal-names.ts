/** Signals by number and by name, as this platform numbers them. */
import { constants } from 'node:os';

const NAMES = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]));
// Two names of one number: these are the ones people know.
NAMES.set(constants.signals.SIGABRT, 'SIGABRT');
NAMES.set(constants.signals.SIGCHLD ?? 17, 'SIGCHLD');

/** Name of a signal, or `SIG<number>` for one without a name. */
export function signalName(number: number): string {
  return NAMES.get(number) ?? `SIG${number}`;
}

/** Number of a signal on this platform. */
export function signalNumber(name: NodeJS.Signals): number {
  return constants.signals[name];
}

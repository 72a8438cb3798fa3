import type { Finding } from '../index.ts';
import type { Io } from './io.ts';

/** What is odd and was accepted, one line each on standard error. */
export function tellFindings(findings: readonly Finding[], io: Io): void {
  for (const { severity, message, hint } of findings) {
    const label = severity === 'error' ? io.color.red(severity) : io.color.yellow(severity);
    io.err(`${label}: ${message}${hint === undefined ? '' : `. ${hint}`}\n`);
  }
}

/** Names a process so that a later reader can tell whether it still lives: numbers alone are used again. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

/** A process, on the machine that it runs on. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's own unit; empty where the system does not tell without another process. */
  readonly start: string;
  readonly host: string;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid), host: hostname() };
}

/** `unknown` for a process of another machine or container, which cannot be asked after from here. */
export function lifeOf(identity: ProcessIdentity): 'alive' | 'gone' | 'unknown' {
  if (identity.host !== hostname()) return 'unknown';
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'gone';
  }
  return startOf(identity.pid) === identity.start ? 'alive' : 'gone';
}

/** Reads an identity that was written as JSON; undefined when it is none. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, start, host } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || typeof start !== 'string' || typeof host !== 'string') return undefined;
  return { pid, start, host };
}

function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Fields are counted after the command, which may itself hold blanks and brackets.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

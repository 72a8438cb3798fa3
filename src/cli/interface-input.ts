import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readBytes } from './call-input.ts';
import type { CommandContext, CommandOption } from './command.ts';
import { UsageError } from './exit-code.ts';

/** Options of the verbs that read an interface. */
export const interfaceOptions: readonly CommandOption[] = [
  { flags: '--interface <file>', description: 'Rust source with the interface, or - for standard input' },
  { flags: '--trait <name>', description: 'which interface, when there are several' },
];

/** Where the verbs that write a file put it. */
export const outOption: CommandOption = {
  flags: '--out <file>',
  description: 'file to write; by default standard output',
};

/** The interface that a command line names. */
export interface InterfaceInput {
  readonly source: string;
  readonly path: string;
  readonly trait: string | undefined;
}

/** Reads the source that `--interface` names. */
export async function readInterface(context: CommandContext): Promise<InterfaceInput> {
  const { interface: path, trait } = context.options;
  if (typeof path !== 'string') throw new UsageError('Give the Rust source with --interface lib.rs');
  const source = (await readBytes(path, context)).toString('utf8');
  return { source, path: path === '-' ? 'standard input' : path, trait: typeof trait === 'string' ? trait : undefined };
}

/** Writes text to the file that `--out` names, whole or not at all, or to standard output. */
export function writeOut({ io, options }: CommandContext, text: string): void {
  const { out } = options;
  if (typeof out !== 'string' || out === '-') {
    io.out(text);
    return;
  }
  let staging: string | undefined;
  try {
    staging = mkdtempSync(join(dirname(out), '.out-'));
    writeFileSync(join(staging, 'file'), text);
    renameSync(join(staging, 'file'), out);
  } catch (cause) {
    throw new UsageError(`Cannot write '${out}': ${(cause as Error).message}`, { cause });
  } finally {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
  }
  io.err(`Wrote ${out} (${Buffer.byteLength(text)} bytes)\n`);
}

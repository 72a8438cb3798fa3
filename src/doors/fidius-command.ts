/** `charmer fidius …`: a drop-in for the Python side of the Fidius command line (Fidius spec §2.6, rows F14, F15). */
import { parseCommandLine } from './fidius-command/command-line.ts';
import { errorText } from './fidius-command/error-text.ts';
import { helpText, usageText } from './fidius-command/usage-text.ts';
import { CommandFailure, type CommandIo, type Verb } from './fidius-command/verb.ts';
import { verbs } from './fidius-command/verbs.ts';

export type { CommandIo } from './fidius-command/verb.ts';

/** The version whose behaviour is reproduced. */
const ORIGINAL_VERSION = '0.5.9';

/**
 * Runs one command line of the original: the same words in, the same lines out. Returns the exit code: 0 for success, 1
 * for a failed command, 2 for wrong usage. Verbs for native plugins say that they are.
 */
export async function runFidiusCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const line = parseCommandLine(argv, verbs);
  switch (line.kind) {
    case 'version':
      io.stdout(`fidius ${ORIGINAL_VERSION}\n`);
      return 0;
    case 'help':
      (line.isError ? io.stderr : io.stdout)(helpText(line.path, verbs));
      return line.isError ? 2 : 0;
    case 'usage':
      io.stderr(`error: ${line.lines.join('\n')}\n${usageText(line.path, verbs)}`);
      return 2;
    case 'verb':
      return runVerb(line.verb.path, line.args.values, io);
  }
}

async function runVerb(path: readonly string[], values: ReadonlyMap<string, string>, io: CommandIo): Promise<number> {
  const verb = verbs.find((candidate: Verb) => candidate.path.join(' ') === path.join(' '));
  try {
    await verb?.run({ text: (name) => values.get(name) ?? '', optional: (name) => values.get(name) }, io);
    return 0;
  } catch (error) {
    io.stderr(`error: ${error instanceof CommandFailure ? error.message : errorText(error)}\n`);
    return 1;
  }
}

import { runFidiusCommand } from '../../src/doors/fidius-command.ts';

/** What one command line did. */
export interface CommandOutcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the drop-in command and collects its output. */
export async function runCommand(
  argv: readonly string[],
  { cwd, env = process.env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<CommandOutcome> {
  const output = { stdout: '', stderr: '' };
  const exit = await runFidiusCommand(argv, {
    cwd,
    env,
    stdout: (text) => void (output.stdout += text),
    stderr: (text) => void (output.stderr += text),
  });
  return { exit, ...output };
}

/** Says how an outcome differs from the recorded one, or nothing. */
export function outcomeDifference(
  ours: CommandOutcome,
  theirs: CommandOutcome,
  { cwd, firstLineOnly = false, sizeVaries = false }: { cwd: string; firstLineOnly?: boolean; sizeVaries?: boolean },
): string | undefined {
  const tidy = (text: string): string => {
    const placed = text.replaceAll(cwd, '{DIR}').replaceAll(/\.tmp[A-Za-z0-9]{6}/g, '.tmpXXXXXX');
    const sized = sizeVaries ? placed.replaceAll(/\(\d[\d.]* \w+\)/g, '(SIZE)') : placed;
    return firstLineOnly ? (sized.split('\n')[0] ?? '') : sized;
  };
  for (const key of ['exit', 'stdout', 'stderr'] as const) {
    const mine = key === 'exit' ? ours.exit : tidy(ours[key]);
    const wanted = key === 'exit' ? theirs.exit : tidy(theirs[key]);
    if (mine !== wanted) return `${key} ${JSON.stringify(mine)}, expected ${JSON.stringify(wanted)}`;
  }
  return undefined;
}

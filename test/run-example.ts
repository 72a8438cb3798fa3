import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { root, temporaryDirectory } from './test-host.ts';

let cache: string | undefined;

/** What a run of an example printed. */
export interface ExampleRun {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs an example as its first lines say, in a directory of its own, with one cache for the whole test file. */
export async function runExample(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ExampleRun> {
  cache ??= temporaryDirectory();
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: options.cwd ?? temporaryDirectory(),
    env: { ...process.env, XDG_CACHE_HOME: cache, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  return { code: await code, lines: stdout.toString('utf8').trimEnd().split('\n'), stderr: stderr.toString('utf8') };
}

/** The command of a TypeScript example. */
export function typescript(example: string, ...args: readonly string[]): readonly string[] {
  const loader = import.meta.resolve('tsx');
  return [process.execPath, '--import', loader, join(root, 'examples', example, 'run.ts'), ...args];
}

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { root, temporaryDirectory } from './test-host.ts';

/** What a run of the real command line gave. */
export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let cache: string | undefined;

/** Runs `charmer` as a user would, in a process of its own. */
export async function charmer(
  argv: readonly string[],
  options: { stdin?: string; cwd?: string; interruptAtOutput?: boolean } = {},
): Promise<CommandRun> {
  cache ??= temporaryDirectory();
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...argv], {
    cwd: options.cwd ?? root,
    env: { ...process.env, XDG_CACHE_HOME: cache, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (options.interruptAtOutput === true) {
    // Standard input stays open, as a terminal's does.
    child.stdin.write(options.stdin ?? '');
    child.stdout.once('data', () => child.kill('SIGINT'));
  } else child.stdin.end(options.stdin ?? '');
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  return { code: await code, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
}

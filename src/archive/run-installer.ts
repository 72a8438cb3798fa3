import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How an installer ended. */
export interface InstallerEnd {
  /** Exit status, or null when a signal ended it. */
  readonly code: number | null;
  /** The end of what it wrote to standard error. */
  readonly stderr: string;
}

/** What an installer sees of the world. */
export interface InstallerSurroundings {
  readonly cwd?: string | undefined;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of standard error that are kept, the last ones. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Runs an installer without a shell. It settles when the installer ends or cannot be started (rejects with the system's
 * error) or when the signal aborts, which kills its whole process group.
 */
export async function runInstaller(
  program: string,
  words: readonly string[],
  { cwd, env, signal }: InstallerSurroundings,
): Promise<InstallerEnd> {
  signal?.throwIfAborted();
  const child = spawn(program, words, { cwd, env: { ...env }, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended in the meantime.
    }
  };
  signal?.addEventListener('abort', stop, { once: true });
  const pieces: Buffer[] = [];
  let kept = 0;
  child.stderr.on('data', (piece: Buffer) => {
    pieces.push(piece);
    kept += piece.length;
    while (pieces.length > 1 && kept - (pieces[0]?.length ?? 0) >= KEPT_BYTES) kept -= pieces.shift()?.length ?? 0;
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal?.throwIfAborted();
    return { code, stderr: Buffer.concat(pieces).toString() };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

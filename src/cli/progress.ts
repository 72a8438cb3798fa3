import type { PackageProgress } from '../index.ts';
import type { Io } from './io.ts';

/** Work that is done sooner needs no words. */
const QUIET_MS = 1000;
/** Milliseconds between two lines: fast enough to follow, slow enough to read. */
const EVERY_MS = 500;

/** Progress of one piece of work, told on standard error once it has taken more than a second. */
export interface ProgressLine {
  readonly onProgress: (progress: PackageProgress) => void;
  /** Takes the line away again, on a terminal. */
  end(): void;
}

/** A line that is written over on a terminal; elsewhere, one line a phase. */
export function progressLine({ io }: { readonly io: Io }): ProgressLine {
  const begun = performance.now();
  let shown = -Infinity;
  let phase: string | undefined;
  return {
    onProgress: (progress) => {
      const now = performance.now();
      const isNew = io.isTerminal ? now - shown >= EVERY_MS : progress.phase !== phase;
      if (now - begun < QUIET_MS || !isNew) return;
      shown = now;
      phase = progress.phase;
      const percent = progress.fraction === undefined ? '' : `${Math.floor(progress.fraction * 100)} % `;
      const text = io.color.dim(`${percent}${progress.message}`);
      io.err(io.isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    },
    end: () => {
      if (io.isTerminal && phase !== undefined) io.err('\r\u001b[K');
    },
  };
}

import { lstatSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

/** What goes where. */
export interface Placement {
  /** Finished directory, on the same file system as its place. */
  readonly staged: string;
  /** Its place. */
  readonly directory: string;
  /** A directory for what was there before; whoever made it removes it. */
  readonly aside: string;
}

/**
 * Puts a directory in its place. An older directory is renamed away first and comes back when the second rename fails,
 * so that at every moment one of the two is whole (rows F8, FW10; row W24, W25). Anything else in the way is an error.
 */
export function placeDirectory({ staged, directory, aside }: Placement): void {
  const there = lstatSync(directory, { throwIfNoEntry: false });
  if (there === undefined) return renameSync(staged, directory);
  if (!there.isDirectory())
    throw Object.assign(new Error(`ENOTDIR: '${directory}' is in the way`), { code: 'ENOTDIR', errno: -20 });
  const old = path.join(aside, `.old-${process.pid}`);
  renameSync(directory, old);
  try {
    renameSync(staged, directory);
  } catch (error) {
    renameSync(old, directory);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

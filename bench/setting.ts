import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What every case is given: one interpreter for all contenders, one scratch directory, how thorough to be. */
export interface Setting {
  /** Interpreter of a clean virtual environment. */
  readonly python: string;
  readonly root: string;
  readonly scratch: string;
  readonly rounds: number;
}

/** Makes the virtual environment on first use. */
export function prepareSetting(isQuick: boolean): Setting & { readonly remove: () => void } {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const venv = join(root, '.tools', 'bench-venv');
  const python = join(venv, 'bin', 'python3');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', '--without-pip', venv], { stdio: 'inherit' });
  const scratch = mkdtempSync(join(tmpdir(), 'charmer-bench-'));
  return {
    python,
    root,
    scratch,
    rounds: isQuick ? 3 : 12,
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

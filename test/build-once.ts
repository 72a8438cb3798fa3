import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles `dist/` before the first test: tests of the command line run what users run. */
export default function buildOnce(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
}

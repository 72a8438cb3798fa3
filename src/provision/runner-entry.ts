import { fileURLToPath } from 'node:url';

/** Absolute path of the program that every resident plugin lives in. Works from `src/` and from `dist/` alike. */
export function runnerEntry(): string {
  return fileURLToPath(new URL('../../runner/charmer_runner.py', import.meta.url));
}

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const repositoryRoot: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** Paths that git knows or would add, relative to the repository, with `/`. */
export function projectFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed.split('\n').filter((path) => path !== '');
}

/** The text of a file of the repository. */
export function readProjectFile(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

/** TypeScript of the library itself: no tests, no shared test suites. */
export function librarySources(): readonly string[] {
  return projectFiles().filter((path) => /^src\/.*\.ts$/.test(path) && !/\.(test|case)\.ts$/.test(path));
}

/** Prints the findings of one check and sets the exit code. */
export function report(check: string, findings: readonly string[]): void {
  for (const finding of findings) process.stdout.write(`${check}: ${finding}\n`);
  if (findings.length > 0) process.exitCode = 1;
}

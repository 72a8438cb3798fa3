/**
 * `npm run conformance -- <format> [DIR]`: runs every recorded case of a fixtures directory through the format's
 * adapters. Prints a line per failing or skipped case and closes with the count.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { CaseResult } from './case-result.ts';

type RunCases = (directory: string) => Promise<readonly CaseResult[]>;

/** Adapters by format, loaded when asked for. */
const ADAPTERS: Readonly<Record<string, () => Promise<readonly RunCases[]>>> = {
  fidius: async () => [
    (await import('./fidius-manifests.ts')).runManifestCases,
    (await import('./fidius-hashes.ts')).runHashCases,
    (await import('./fidius-stubs.ts')).runStubCases,
    (await import('./fidius-digests.ts')).runDigestCases,
    (await import('./fidius-headers.ts')).runHeaderCases,
    (await import('./fidius-hostile.ts')).runHostileCases,
    (await import('./fidius-cli.ts')).runCliCases,
    (await import('./fidius-calls.ts')).runCallCases,
  ],
  obscura: async () => [(await import('./obscura.ts')).runCases],
  remotemedia: async () => [(await import('./remotemedia.ts')).runCases],
};

process.exitCode = await main(process.argv.slice(2));

async function main([format = '', given]: readonly string[]): Promise<number> {
  const adapters = ADAPTERS[format];
  if (adapters === undefined) {
    process.stderr.write(`usage: npm run conformance -- <${Object.keys(ADAPTERS).join('|')}> [DIR]\n`);
    return 2;
  }
  const own = join(fileURLToPath(new URL('../../fixtures/conformance/', import.meta.url)), format);
  const directory = given === undefined ? own : resolve(given);
  if (!existsSync(directory)) {
    process.stderr.write(`conformance: there is no directory '${directory}'\n`);
    return 2;
  }
  const results: CaseResult[] = [];
  for (const run of await adapters()) {
    const found = await run(directory);
    for (const { id, outcome, reason = '' } of found) {
      if (outcome !== 'passed') process.stdout.write(`${outcome} ${id}: ${reason.replaceAll('\n', ' ')}\n`);
    }
    results.push(...found);
  }
  const count = (outcome: CaseResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  process.stdout.write(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
  return count('failed') > 0 || results.length === 0 ? 1 : 0;
}

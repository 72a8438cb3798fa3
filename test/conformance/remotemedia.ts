/** Runs the recorded cases of a RemoteMedia fixtures directory against our API. */
import type { CaseResult } from './case-result.ts';
import { githubCases } from './remotemedia-github.ts';
import { manifestCases } from './remotemedia-manifests.ts';
import { outcomeCases } from './remotemedia-outcomes.ts';
import { environmentCases, specCases, tomlCases } from './remotemedia-pure.ts';
import { commandLineCases, frameCases } from './remotemedia-python.ts';
import { scenarioCases } from './remotemedia-scenarios.ts';
import { type RecordedCase, Workshop } from './remotemedia-workshop.ts';

/** Every case of a directory, family by family; families that the directory lacks have none. */
export function readCases(directory: string): readonly RecordedCase[] {
  return [
    tomlCases,
    specCases,
    environmentCases,
    githubCases,
    manifestCases,
    outcomeCases,
    scenarioCases,
    frameCases,
    commandLineCases,
  ].flatMap((family) => family(directory));
}

/** Runs every case of a directory, in order. */
export async function runCases(directory: string): Promise<CaseResult[]> {
  const workshop = new Workshop(directory);
  try {
    const results: CaseResult[] = [];
    for (const recorded of readCases(directory)) results.push(await workshop.run(recorded));
    return results;
  } finally {
    await workshop.close();
  }
}

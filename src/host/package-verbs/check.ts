import { relative } from 'node:path';

import { CharmerError } from '../../errors.ts';
import { openTree } from '../../locate/open-tree.ts';
import type { Finding } from '../../plugin-spec.ts';
import { readSpec } from '../read-spec.ts';
import { withPackage, type PackageTarget, type PackageVerbOptions } from './target.ts';

/**
 * Checks the manifest of a plugin without running anything of it.
 *
 * @param path A directory, a manifest, or an archive
 * @returns every finding with its file, and line and key where they are known; a manifest that cannot be used is one error
 * @throws LocateError `PLUGIN_NOT_FOUND`
 * @throws ManifestError `FORMAT_UNKNOWN`, `FORMAT_AMBIGUOUS` when there is no manifest to check
 * @throws ArchiveError for an archive that cannot be unpacked
 */
export async function check(path: string, options: PackageVerbOptions = {}): Promise<readonly Finding[]> {
  return withPackage(path, options, async (target) => findingsOf(target));
}

function findingsOf({ directory, format }: PackageTarget): readonly Finding[] {
  try {
    const spec = readSpec(directory, format);
    return format.check?.(openTree(directory)) ?? spec.findings;
  } catch (error) {
    if (!(error instanceof CharmerError)) throw error;
    return [asFinding(error, directory, format.manifestFile)];
  }
}

function asFinding(error: CharmerError, directory: string, manifestFile: string): Finding {
  const { message, path, line, column, key, hint } = error;
  return {
    severity: 'error',
    message,
    file: path === undefined ? manifestFile : relative(directory, path) || manifestFile,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
    ...(key !== undefined && { key }),
    ...(hint !== undefined && { hint }),
  };
}

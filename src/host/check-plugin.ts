import { relative, resolve } from 'node:path';

import { CharmerError } from '../errors.ts';
import { formats } from '../formats/index.ts';
import { claimFormat } from '../locate/claim-format.ts';
import { openTree } from '../locate/open-tree.ts';
import type { Finding } from '../plugin-spec.ts';
import { readSpec } from './read-spec.ts';

/**
 * Checks the manifest of a plugin's directory without running anything of it.
 *
 * @returns every finding with its file, and line and key where they are known; a manifest that cannot be used is one error
 * @throws ManifestError `FORMAT_UNKNOWN`, `FORMAT_AMBIGUOUS` when there is no manifest to check
 */
export async function checkPlugin(path: string): Promise<readonly Finding[]> {
  const directory = resolve(path);
  const claims = formats.map(({ name, manifestFile, archive }) => ({
    name,
    manifestFile,
    archiveExtension: archive.extension,
  }));
  const name = claimFormat(directory, claims);
  const format = formats.find((each) => each.name === name);
  if (format === undefined) return [];
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

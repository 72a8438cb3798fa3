import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE, parsePackageManifest, type PackageManifest } from '../../formats/fidius/manifest.ts';
import { ManifestError } from '../../index.ts';

/** A package of a search path. */
export interface FoundPackage {
  readonly directory: string;
  readonly manifest: PackageManifest;
}

/** Packages one level below each directory, in its order and sorted by name; what cannot be read is left out (spec 1.4). */
export async function findPackages(searchPath: readonly string[]): Promise<readonly FoundPackage[]> {
  const found: FoundPackage[] = [];
  for (const root of searchPath) {
    for (const name of await namesIn(root)) {
      const manifest = await manifestIn(join(root, name));
      if (manifest !== undefined) found.push({ directory: join(root, name), manifest });
    }
  }
  return found;
}

/** Sub-directories with a manifest, sorted, nothing parsed; a missing directory has none (spec 1.4). */
export async function discoverPackages(root: string): Promise<readonly string[]> {
  const directories = (await namesIn(root)).map((name) => join(root, name));
  const hasManifest = await Promise.all(directories.map((directory) => exists(join(directory, MANIFEST_FILE))));
  return directories.filter((_, index) => hasManifest[index]);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

async function manifestIn(directory: string): Promise<PackageManifest | undefined> {
  const path = join(directory, MANIFEST_FILE);
  try {
    return parsePackageManifest(await readFile(path), path);
  } catch (error) {
    if (error instanceof ManifestError || isAbsence(error)) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/** Nothing there, or something that is no directory or no file. */
function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}

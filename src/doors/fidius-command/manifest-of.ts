import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MANIFEST_FILE, type PackageManifest, parsePackageManifest } from '../../formats/fidius/manifest.ts';
import { packageIoText } from './error-text.ts';
import { locateFrom } from './paths.ts';
import { CommandFailure } from './verb.ts';

/** A package as the command line named it. */
export interface NamedPackage {
  /** As it was written. */
  readonly name: string;
  /** Where it is. */
  readonly directory: string;
}

/** Finds a package whose manifest exists, whatever is in it. */
export function findPackage(name: string, cwd: string): NamedPackage {
  const directory = locateFrom(cwd, name);
  if (!existsSync(path.join(directory, MANIFEST_FILE)))
    throw new CommandFailure(`${MANIFEST_FILE} not found in ${name}`);
  return { name, directory };
}

/** Reads the manifest of a package. */
export function readManifest(name: string, cwd: string): PackageManifest {
  const file = path.join(findPackage(name, cwd).directory, MANIFEST_FILE);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new CommandFailure(packageIoText(cause), { cause });
  }
  return parsePackageManifest(bytes, file);
}

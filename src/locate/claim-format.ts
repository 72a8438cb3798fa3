/** Which format a directory belongs to: decided by the name of its manifest, before anything is parsed. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ManifestError } from '../errors.ts';

/** What `locate` knows of a format. */
export interface FormatClaim {
  readonly name: string;
  /** File name that claims a directory. */
  readonly manifestFile: string;
  /** Without its dot. */
  readonly archiveExtension: string;
}

/**
 * @returns the name of the one format that claims the directory
 * @throws ManifestError `FORMAT_UNKNOWN` naming the manifests looked for, `FORMAT_AMBIGUOUS` naming those found
 */
export function claimFormat(directory: string, formats: readonly FormatClaim[]): string {
  const claims = claimsOn(directory, formats);
  const [claim, ...others] = claims;
  if (claim === undefined) {
    const names = formats.map((format) => `'${format.manifestFile}'`).join(', ');
    throw new ManifestError(
      'FORMAT_UNKNOWN',
      `Directory '${directory}' has no plugin manifest, expected one of ${names}`,
      {
        path: resolve(directory),
        hint: 'Give the directory that the manifest is in',
      },
    );
  }
  if (others.length > 0) throw ambiguousFormat(directory, claims);
  return claim.name;
}

/** Every format whose manifest is there, whatever kind of entry it is: an unreadable one is the format's to explain. */
export function claimsOn(directory: string, formats: readonly FormatClaim[]): FormatClaim[] {
  const names = namesIn(directory);
  if (names === undefined) return formats.filter((format) => isThere(join(directory, format.manifestFile)));
  return formats.filter((format) => names.includes(format.manifestFile));
}

/** One listing is cheaper than asking for every manifest; undefined where a directory cannot be listed. */
function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

/** Two formats that claim one directory are an error, never first come. */
export function ambiguousFormat(directory: string, claims: readonly FormatClaim[]): ManifestError {
  const found = claims.map((claim) => `'${claim.manifestFile}' (${claim.name})`).join(' and ');
  return new ManifestError('FORMAT_AMBIGUOUS', `Directory '${directory}' has ${found}, expected one manifest`, {
    path: resolve(directory),
    hint: 'Name the manifest file itself, or remove one of them',
  });
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

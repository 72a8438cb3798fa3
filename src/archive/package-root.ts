import { opendirSync } from 'node:fs';
import path from 'node:path';
import type { ArchiveRules } from '../plugin-spec.ts';
import { archiveFailure } from './archive-failure.ts';
import type { EntryChecks } from './entry-checks.ts';

/** Where in an archive the package is. */
export interface PackageRoot {
  /** Directory at the top of the archive, or undefined when the package is the archive's root. */
  readonly top: string | undefined;
  /** Name that the package's directory gets. */
  readonly name: string;
}

/** What decides where a package is. */
interface RootOptions {
  readonly archive: string;
  readonly rules: Pick<ArchiveRules, 'container'>;
  readonly manifestFile: string;
}

/**
 * Finds the package among entries that were checked: the one top directory that holds the manifest, or for zip archives
 * the root itself (package spec §2.5, row FW10; rows W24).
 *
 * Throws `ARCHIVE_INVALID` with reason `no-manifest` or `several-packages`. With a staging directory, the first in
 * directory order wins, as in the original.
 */
export function findPackage(checks: EntryChecks, options: RootOptions, staging?: string): PackageRoot {
  const manifest = Buffer.from(options.manifestFile);
  if (options.rules.container === 'zip' && checks.kindAt(manifest) === 'file') {
    return { top: undefined, name: path.basename(options.archive, path.extname(options.archive)) };
  }
  const tops = checks.topLevel();
  const packages = tops.filter((top) => top.kind === 'directory' && checks.kindAt(top.name, manifest) !== undefined);
  const [only] = packages;
  if (only === undefined) throw noManifest(checks, options);
  const names = packages.map((top) => top.name.toString());
  if (packages.length > 1 && staging === undefined) {
    throw archiveFailure('several-packages', `Archive holds several packages: '${names.join("', '")}'; expected one`, {
      path: options.archive,
      facts: { names },
    });
  }
  const name = staging === undefined ? only.name.toString() : firstOnDisk(staging, names);
  for (const top of tops) {
    if (top.name.toString() !== name) noteOutside(checks, top.name.toString(), name);
  }
  if (checks.kindAt(Buffer.from(name), manifest) === 'directory')
    checks.find(
      'manifest-is-directory',
      `${name}/${options.manifestFile}`,
      `'${options.manifestFile}' is a directory, expected a file`,
    );
  return { top: name, name };
}

function noteOutside(checks: EntryChecks, entry: string, name: string): void {
  checks.find('outside-package', entry, `Entry '${entry}' is outside the package '${name}' and is left out`);
}

function noManifest(checks: EntryChecks, options: RootOptions): Error {
  const isAtRoot = checks.kindAt(Buffer.from(options.manifestFile)) !== undefined;
  return archiveFailure(
    'no-manifest',
    isAtRoot
      ? `Archive has its '${options.manifestFile}' at the root, expected it in one top directory`
      : `Archive has no '${options.manifestFile}' in a top directory`,
    { path: options.archive },
  );
}

function firstOnDisk(staging: string, names: readonly string[]): string {
  const directory = opendirSync(staging);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (names.includes(entry.name)) return entry.name;
    }
  } finally {
    directory.closeSync();
  }
  return names[0] ?? '';
}

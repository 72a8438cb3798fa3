import path from 'node:path';
import { realpathSync } from 'node:fs';
import type { ArchiveRules } from '../plugin-spec.ts';
import { type ArchiveFinding, archiveFailure } from './archive-failure.ts';
import { ignoreReason } from './ignore-list.ts';
import { coverageOf } from './tree-digest.ts';
import { type TreeFile, walkTree } from './tree-walk.ts';

/** Which files of a directory go into its archive. */
export interface Selection {
  readonly files: readonly TreeFile[];
  /** Paths left out as clutter. */
  readonly leftOut: readonly string[];
  readonly findings: readonly ArchiveFinding[];
}

/** What decides which files go in. */
interface SelectOptions {
  readonly directory: string;
  readonly rules: ArchiveRules;
  readonly compat?: boolean;
}

/**
 * Chooses the files of a package. By default caches, editor files and earlier archives stay out, while secret files and
 * links out of the package are refused; with `compat` it is the original's choice (rows F6, FW5, FW12).
 *
 * Throws `ARCHIVE_UNSAFE` with reason `secret-file`, `escaping-link` or `link-loop`, and `ARCHIVE_INVALID` with
 * `signature-covers-left-out` when the archive's signature could not be valid.
 */
export function selectFiles(options: SelectOptions, output: string): Selection {
  const { directory, rules } = options;
  if (options.compat === true) {
    return { files: walkTree(directory, { ...rules, compat: true }), leftOut: [], findings: [] };
  }
  const excluded: string[] = [];
  const everything = walkTree(directory, rules, (skipped) => excluded.push(skipped));
  const own = relativeOutput(directory, output);
  const files: TreeFile[] = [];
  const leftOut: string[] = [];
  for (const file of everything) {
    const reason = file.path === own ? 'clutter' : ignoreReason(file.path, rules.extension);
    if (reason === 'secret') throw secretFile(file);
    if (reason === undefined && file.escapes) throw escapingLink(file);
    if (reason === undefined) files.push(file);
    else leftOut.push(file.path);
  }
  refuseBrokenSignature(options, everything, leftOut);
  return { files, leftOut, findings: excluded.filter((name) => name !== '.git').map((name) => excludedFinding(name)) };
}

/** A signature covers everything on disk: what it covers and the archive lacks would make it invalid there. */
function refuseBrokenSignature(
  { rules, directory }: SelectOptions,
  everything: readonly TreeFile[],
  leftOut: readonly string[],
): void {
  if (!everything.some((file) => file.path === rules.signatureFile)) return;
  const isCovered = coverageOf(rules);
  const missing = leftOut.filter((file) => isCovered(file));
  if (missing.length === 0) return;
  throw archiveFailure(
    'signature-covers-left-out',
    `Signature covers '${missing.join("', '")}', which packing leaves out; expected a signature over what is packed`,
    {
      path: directory,
      facts: { files: missing },
      hint: 'Remove these files and sign again, or pack exactly as the original does',
    },
  );
}

function secretFile(file: TreeFile): Error {
  return archiveFailure('secret-file', `File '${file.path}' looks like a secret; packages are made to be given away`, {
    path: file.absolute,
    hint: 'Move it out of the package',
  });
}

function escapingLink(file: TreeFile): Error {
  return archiveFailure('escaping-link', `File '${file.path}' is reached through a link out of the package`, {
    path: file.absolute,
    hint: 'Copy what the link points to into the package',
  });
}

function excludedFinding(directory: string): ArchiveFinding {
  return {
    severity: 'warning',
    kind: 'excluded-directory',
    file: directory,
    message: `Directory '${directory}' is left out, as in the original; code in it cannot be imported from the archive`,
  };
}

/** The output's path inside the package, where it is inside. */
function relativeOutput(directory: string, output: string): string | undefined {
  const relative = path.relative(realpathSync(directory), path.resolve(output));
  return relative.startsWith('..') || path.isAbsolute(relative) ? undefined : relative.split(path.sep).join('/');
}

import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { archiveReason, type ArchiveReason } from '../../src/archive/archive-failure.ts';
import { unpackPackage } from '../../src/archive/unpack.ts';
import { errorText } from '../../src/doors/fidius-command/error-text.ts';
import { ArchiveError } from '../../src/errors.ts';
import { fidius } from '../../src/formats/fidius/index.ts';
import type { CaseResult } from './case-result.ts';
import { outcomeDifference, runCommand, type CommandOutcome } from './fidius-command-run.ts';
import { type Listed, listTree } from './fidius-tree.ts';

interface HostileCase extends CommandOutcome {
  readonly id: string;
  readonly file: string;
  readonly library:
    | { readonly ok: string }
    | {
        readonly err: {
          readonly kind: string;
          readonly text: string;
          readonly limit?: number;
          readonly actual?: number;
        };
      };
  readonly left_in_dest: Readonly<Record<string, Listed>> | { readonly count: number };
}

/** The original's kinds of errors by our reasons; everything else is its `ArchiveError`. */
const KINDS: Partial<Record<ArchiveReason, string>> = {
  'path-traversal': 'PathTraversal',
  'absolute-path': 'AbsolutePath',
  symlink: 'SymlinkRejected',
  hardlink: 'HardlinkRejected',
  'size-limit': 'SizeLimitExceeded',
  'entry-limit': 'TooManyEntries',
  'no-manifest': 'InvalidArchive',
  'cannot-place': 'Io',
};

/**
 * F3, F7, F8: `hostile.json`. With `compat`, the verdict, its text and what is left are the original's. By default nothing
 * that the original unpacks is refused, except an archive with several packages, where it picks by directory order; and
 * nothing is left where anything is refused.
 */
export async function runHostileCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(path.join(directory, 'hostile.json'), 'utf8')) as { archives: HostileCase[] };
  const results: CaseResult[] = [];
  for (const one of file.archives) {
    const cwd = mkdtempSync(path.join(tmpdir(), 'charmer-hostile-'));
    try {
      copyFileSync(path.join(directory, one.file), path.join(cwd, 'a.fid'));
      const reason = await differenceOf(one, cwd);
      results.push(
        reason === undefined
          ? { id: `hostile/${one.id}`, outcome: 'passed' }
          : { id: `hostile/${one.id}`, outcome: 'failed', reason },
      );
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  }
  return results;
}

async function differenceOf(one: HostileCase, cwd: string): Promise<string | undefined> {
  mkdirSync(path.join(cwd, 'dest'));
  const ours = await runCommand(['package', 'unpack', 'a.fid', '--dest', 'dest'], { cwd });
  const isByChance = hasSeveralPackages(one, ours);
  if (!isByChance) {
    const difference = outcomeDifference(ours, one, { cwd }) ?? leftDifference(one, path.join(cwd, 'dest'));
    if (difference !== undefined) return difference;
  }
  return (await libraryDifference(one, cwd, isByChance)) ?? (await defaultDifference(one, cwd, isByChance));
}

/** Both unpack a package, not the same one: the archive has several and the file system chooses. */
function hasSeveralPackages(one: HostileCase, ours: CommandOutcome): boolean {
  return one.id === 'two-packages' && one.exit === 0 && ours.exit === 0 && ours.stdout !== one.stdout;
}

function leftDifference(one: HostileCase, dest: string): string | undefined {
  const left = listTree(dest);
  const count = 'count' in one.left_in_dest ? one.left_in_dest.count : undefined;
  if (count !== undefined)
    return Object.keys(left).length === count ? undefined : `${Object.keys(left).length} files left`;
  return isDeepStrictEqual(left, one.left_in_dest) ? undefined : `left ${JSON.stringify(left)}`;
}

async function libraryDifference(one: HostileCase, cwd: string, isByChance: boolean): Promise<string | undefined> {
  try {
    const { directory } = await unpack(cwd, 'dest2', true);
    if (!('ok' in one.library)) return `library unpacks, expected ${one.library.err.kind}`;
    return isByChance || one.library.ok === directory.replace(cwd, '{DIR}')
      ? undefined
      : `library gives '${directory}'`;
  } catch (error) {
    if (!(error instanceof ArchiveError) || !('err' in one.library)) return `library refuses: ${String(error)}`;
    const { kind, text, limit, actual } = one.library.err;
    const reason = archiveReason(error);
    const ourKind = (reason === undefined ? undefined : KINDS[reason]) ?? 'ArchiveError';
    if (ourKind !== kind) return `kind ${ourKind}, expected ${kind}`;
    if (limit !== undefined && (error.details?.['limit'] !== limit || error.details['actual'] !== actual))
      return 'limit differs';
    const ourText = errorText(error)
      .replaceAll(cwd, '{DIR}')
      .replaceAll(/\.tmp[A-Za-z0-9]{6}/g, '.tmpXXXXXX');
    return ourText === text ? undefined : `text ${JSON.stringify(ourText)}`;
  }
}

async function defaultDifference(one: HostileCase, cwd: string, isByChance: boolean): Promise<string | undefined> {
  try {
    await unpack(cwd, 'dest3', false);
    return undefined;
  } catch (error) {
    const reason = archiveReason(error);
    if (reason === undefined) return `by default: ${String(error)}`;
    if (one.exit === 0 && !isByChance && reason !== 'several-packages') return `by default refused: ${reason}`;
    const left = readdirSync(cwd).includes('dest3');
    return left ? 'by default something is left behind' : undefined;
  }
}

function unpack(cwd: string, dest: string, compat: boolean): ReturnType<typeof unpackPackage> {
  return unpackPackage({
    archive: path.join(cwd, 'a.fid'),
    destination: path.join(cwd, dest),
    rules: fidius.archive,
    manifestFile: fidius.manifestFile,
    compat,
  });
}

import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ArchiveError, TrustError } from '../errors.ts';
import type { ArchiveRules } from '../plugin-spec.ts';
import type { ArchiveEntry } from './archive-entry.ts';
import { type ArchiveFinding, archiveFailure, archiveReason } from './archive-failure.ts';
import { resolveLimits, type UnpackLimits } from './archive-limits.ts';
import { EntryChecks, type CheckedEntry } from './entry-checks.ts';
import { isSafeComponent } from './entry-name.ts';
import { openArchive, type OpenArchive } from './open-archive.ts';
import { findPackage } from './package-root.ts';
import { placeDirectory } from './place-directory.ts';
import { StagedFiles } from './staged-files.ts';

/** How an archive becomes a directory. */
export interface UnpackOptions {
  /** The archive file. */
  readonly archive: string;
  /** Directory that will hold the package's directory; created where it is missing. */
  readonly destination: string;
  readonly rules: Pick<ArchiveRules, 'container'>;
  /** File that must be at the root of the package. */
  readonly manifestFile: string;
  /** Name of the package's directory. @default its top directory in the archive, or the archive's name without extension */
  readonly name?: string;
  readonly limits?: Partial<UnpackLimits>;
  /** The original's verdicts, limits and order of work. @default false */
  readonly compat?: boolean;
  /** Keeps symbolic links that stay inside the package; otherwise every link is refused. @default false */
  readonly keepsInnerLinks?: boolean;
  /** Refuses whatever would be a finding. @default false */
  readonly strict?: boolean;
  /** SHA-256 of the archive in hexadecimal, either case; a mismatch is `DIGEST_MISMATCH`. */
  readonly sha256?: string;
  /**
   * Called with the staged package before it is put in its place; what it throws leaves everything as it was. It may
   * return the name that the directory must have (row FW10), or undefined.
   */
  readonly accept?: (staged: string) => string | undefined | Promise<string | undefined>;
  readonly onProgress?: (progress: UnpackProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far unpacking is. */
export interface UnpackProgress {
  readonly phase: 'checking' | 'writing';
  readonly entries: number;
  readonly bytes: number;
}

/** What was unpacked. */
export interface UnpackReport {
  /** The package's directory: `destination` joined with its name. */
  readonly directory: string;
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  /** What was odd and is accepted. */
  readonly findings: readonly ArchiveFinding[];
}

/**
 * Unpacks an archive: every entry is checked before anything is written, the files are staged inside the destination,
 * and only then take the place of an older package; on any failure that one stays as it was (package spec §2.5, rows F7,
 * F8, FW8 to FW11; rows W21 to W25, W43).
 *
 * Throws `ArchiveError` with the finer reason in `details.reason`, `DIGEST_MISMATCH`, or the signal's reason.
 */
export async function unpackPackage(options: UnpackOptions): Promise<UnpackReport> {
  const archive = openArchive(options.archive, options.rules.container);
  try {
    if (options.sha256 !== undefined) await verifySha256(options.archive, options.sha256);
    return options.compat === true ? await unpackAsOriginal(archive, options) : await unpackChecked(archive, options);
  } finally {
    archive.close();
  }
}

/** SHA-256 of a file in lower-case hexadecimal. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function verifySha256(file: string, expected: string): Promise<void> {
  const actual = await hashFile(file);
  if (actual === expected.toLowerCase()) return;
  throw new TrustError(
    'DIGEST_MISMATCH',
    `Archive '${file}' has SHA-256 '${actual}', expected '${expected.toLowerCase()}'`,
    {
      path: file,
      hint: 'Fetch the archive again, or ask its publisher for the current digest',
    },
  );
}

/** Two walks: the first reads and judges everything, the second writes. */
async function unpackChecked(archive: OpenArchive, options: UnpackOptions): Promise<UnpackReport> {
  const checks = await walk(archive, options, { phase: 'checking', write: discard });
  const remark = await archive.remark();
  if (remark !== undefined) checks.find('bytes-after-end', options.archive, remark);
  const found = findPackage(checks, options);
  const staging = makeStaging(options.destination);
  try {
    const staged = path.join(staging, found.top ?? 'package');
    if (found.top === undefined) mkdirSync(staged);
    const files = new StagedFiles(found.top === undefined ? staged : staging, { only: found.top });
    await walk(archive, options, { phase: 'writing', write: (entry, checked) => files.write(entry, checked) });
    files.finish();
    const wanted = await options.accept?.(staged);
    if (wanted !== undefined && wanted !== found.name)
      checks.find('name-mismatch', found.name, `Package is in directory '${found.name}', expected '${wanted}'`);
    const name = options.name ?? found.name;
    if (!isSafeComponent(name)) checks.find('unusual-name', name, `Directory name '${name}' is not portable`);
    return place(checks, options, { staged, staging, name });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** One walk that writes as it goes, in the original's order; the staging directory keeps failures from being seen. */
async function unpackAsOriginal(archive: OpenArchive, options: UnpackOptions): Promise<UnpackReport> {
  const staging = makeStaging(options.destination);
  try {
    const files = new StagedFiles(staging, {});
    const checks = await walk(archive, options, {
      phase: 'writing',
      write: (entry, checked) => files.write(entry, checked),
    });
    files.finish();
    const found = findPackage(checks, options, staging);
    await options.accept?.(path.join(staging, found.name));
    return place(checks, options, { staged: path.join(staging, found.name), staging, name: found.name });
  } catch (error) {
    throw naming(error, staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The original names its staging directory when an entry cannot be written. */
function naming(error: unknown, staging: string): unknown {
  const reason = archiveReason(error);
  if (reason === undefined || !(error instanceof ArchiveError)) return error;
  return archiveFailure(reason, error.message, { cause: error.cause, facts: { ...error.details, staging } });
}

interface Staged {
  readonly staged: string;
  readonly staging: string;
  readonly name: string;
}

function place(checks: EntryChecks, options: UnpackOptions, { staged, staging, name }: Staged): UnpackReport {
  const directory = path.join(options.destination, name);
  try {
    placeDirectory({ staged, directory, aside: staging });
  } catch (cause) {
    throw archiveFailure('cannot-place', `Cannot put the package at '${directory}'`, { cause, path: directory });
  }
  return { directory, name, entries: checks.count, bytes: checks.bytes, findings: checks.findings };
}

interface Walk {
  readonly phase: UnpackProgress['phase'];
  readonly write: (entry: ArchiveEntry, checked: CheckedEntry) => Promise<number>;
}

/** Bytes handled before the event loop gets a turn. */
const TURN_BYTES = 1024 * 1024;

async function walk(archive: OpenArchive, options: UnpackOptions, { phase, write }: Walk): Promise<EntryChecks> {
  const isCompat = options.compat === true;
  const limits = resolveLimits(options.limits, isCompat);
  const checks = new EntryChecks({
    limits,
    archiveBytes: archive.bytes,
    compat: isCompat,
    strict: options.strict === true && phase === 'checking',
    keepsInnerLinks: options.keepsInnerLinks === true,
    refusedOddities: options.rules.container === 'zip' ? ['backslash', 'drive'] : [],
  });
  let sinceTurn = 0;
  for await (const entry of archive.entries(limits)) {
    options.signal?.throwIfAborted();
    sinceTurn += await write(entry, checks.check(entry));
    options.onProgress?.({ phase, entries: checks.count, bytes: checks.bytes });
    if (sinceTurn < TURN_BYTES) continue;
    await nextTurn();
    sinceTurn = 0;
  }
  return checks;
}

/** Reads an entry to its end: checksums and sizes are verified on the way. */
async function discard(entry: ArchiveEntry): Promise<number> {
  let bytes = 0;
  for await (const piece of entry.content()) bytes += piece.length;
  return bytes;
}

function makeStaging(destination: string): string {
  try {
    mkdirSync(destination, { recursive: true });
    return mkdtempSync(path.join(destination, '.tmp'));
  } catch (cause) {
    throw archiveFailure('cannot-place', `Cannot write to '${destination}'`, { cause, path: destination });
  }
}

import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { archiveFailure } from '../../archive/archive-failure.ts';
import { CharmerError, LocateError, TrustError } from '../../errors.ts';
import type { PluginFormat } from '../../formats/format.ts';
import { formats as everyFormat } from '../../formats/index.ts';
import { claimFormat } from '../../locate/claim-format.ts';
import { unpackArchive } from '../unpack-archive.ts';

/** How far a verb is, for people. */
export interface PackageProgress {
  readonly phase: 'vendoring' | 'packing' | 'checking' | 'writing';
  readonly message: string;
  /** From 0 to 1, where the end is known. */
  readonly fraction?: number;
}

/** Options of every verb that works on packages. */
export interface PackageVerbOptions {
  /** Formats in the order in which they claim directories. @default all */
  readonly formats?: readonly PluginFormat[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A package to work on. */
export interface PackageTarget {
  /** Absolute; for an archive, a directory that is gone when the work is done. */
  readonly directory: string;
  readonly format: PluginFormat;
  readonly kind: 'directory' | 'archive';
}

/**
 * The package in a directory, or at a manifest.
 *
 * @throws LocateError `PLUGIN_NOT_FOUND`
 * @throws ManifestError `FORMAT_UNKNOWN`, `FORMAT_AMBIGUOUS`
 */
export function packageIn(path: string, { formats = everyFormat }: PackageVerbOptions): PackageTarget {
  const absolute = existing(path);
  const byManifest = formats.find(({ manifestFile }) => manifestFile === basename(absolute));
  if (byManifest !== undefined && statSync(absolute).isFile())
    return { directory: dirname(absolute), format: byManifest, kind: 'directory' };
  const claims = formats.map(({ name, manifestFile, archive }) => ({
    name,
    manifestFile,
    archiveExtension: archive.extension,
  }));
  const name = claimFormat(absolute, claims);
  const format = formats.find((each) => each.name === name);
  if (format === undefined) throw new TypeError(`No format is called '${name}'`);
  return { directory: absolute, format, kind: 'directory' };
}

/**
 * Works on the package at a path: a directory, a manifest, or an archive, which is unpacked into a temporary directory for
 * as long as the work takes.
 *
 * @throws LocateError `PLUGIN_NOT_FOUND`
 * @throws ManifestError `FORMAT_UNKNOWN`, `FORMAT_AMBIGUOUS`
 * @throws ArchiveError for an archive that cannot be unpacked
 */
export async function withPackage<Result>(
  path: string,
  options: PackageVerbOptions,
  work: (target: PackageTarget) => Promise<Result>,
): Promise<Result> {
  const { formats = everyFormat, signal } = options;
  const absolute = existing(path);
  if (statSync(absolute).isDirectory() || formats.some(({ manifestFile }) => manifestFile === basename(absolute)))
    return work(packageIn(absolute, options));
  const destination = await mkdtemp(join(tmpdir(), 'charmer-package-'));
  try {
    const { directory, format } = await unpackArchive(formats, {
      archive: absolute,
      destination,
      ...(signal && { signal }),
    });
    return await work({ directory, format, kind: 'archive' });
  } finally {
    await rm(destination, { recursive: true, force: true });
  }
}

/** Absolute path of something that is there. */
export function existing(path: string): string {
  const absolute = resolve(path);
  if (statSync(absolute, { throwIfNoEntry: false }) !== undefined) return absolute;
  throw new LocateError('PLUGIN_NOT_FOUND', `There is nothing at '${absolute}', expected a package`, {
    path: absolute,
    hint: 'Give the directory that the manifest is in, or an archive',
  });
}

/** Gives what the file system throws while a package is read a code. */
export async function readingPackage<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw archiveFailure('cannot-read', `Package '${path}' cannot be read: ${cause.message}`, {
      cause,
      path,
      hint: 'A broken link in it or a file that is not yours may be the reason',
    });
  }
}

/** Gives what the file system throws about a key file a code. */
export function usingKey<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw new TrustError('SIGNATURE_INVALID', `Key file '${file}' cannot be used: ${cause.message}`, {
      cause,
      path: file,
      hint: 'Check the path; charmer keygen makes a new pair',
      details: { reason: 'key-file' },
    });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && !(error instanceof CharmerError) && 'syscall' in error;
}

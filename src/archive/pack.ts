import { closeSync, fstatSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { ArchiveRules } from '../plugin-spec.ts';
import { type ArchiveFinding, archiveFailure } from './archive-failure.ts';
import { compress } from './compress.ts';
import { isSafeComponent } from './entry-name.ts';
import { selectFiles, type Selection } from './select-files.ts';
import { type TarMember, writeTar } from './tar-write.ts';
import { writeZip } from './zip-write.ts';

/** How a directory becomes an archive. */
export interface PackOptions {
  readonly directory: string;
  /** Rules of the format, with the extension that the package itself asks for. */
  readonly rules: ArchiveRules;
  readonly name: string;
  readonly version: string;
  /** The archive file. @default `NAME-VERSION.EXTENSION` in the current directory */
  readonly output?: string;
  /**
   * Packs exactly what the original packs: no ignore list, links followed out of the package, names taken as they are, the
   * output written in place. @default false
   */
  readonly compat?: boolean;
  /** Interpreter whose `bz2` module writes the archive, for formats whose container is `tar.bz2`. */
  readonly python?: string;
  readonly onProgress?: (progress: PackProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far packing is. */
export interface PackProgress {
  readonly files: number;
  readonly totalFiles: number;
  /** Path inside the package of the file that is next. */
  readonly file: string;
}

/** What was packed. */
export interface PackReport {
  /** The archive file, as it was named. */
  readonly archive: string;
  /** Size of the archive. */
  readonly bytes: number;
  /** Paths inside the package, in order. */
  readonly files: readonly string[];
  /** Whether a signature file is among them; nobody has verified it. */
  readonly isSigned: boolean;
  /** Paths that were left out as clutter, in order. */
  readonly leftOut: readonly string[];
  readonly findings: readonly ArchiveFinding[];
}

/**
 * Packs a package directory: members `NAME-VERSION/…` in byte order, GNU headers, level 9 (package spec §2.1 to §2.3, rows
 * F4 to F6, FW5, FW12, FW13). Given equal stat data the bytes are those of the original. A failure leaves no output,
 * except with `compat`.
 *
 * Throws `ArchiveError` with the finer reason in `details.reason`, and `PYTHON_NOT_FOUND` when bzip2 cannot be written.
 */
export async function packPackage(options: PackOptions): Promise<PackReport> {
  const output = options.output ?? defaultArchiveName(options);
  if (options.compat === true) return packInPlace(options, output);
  refuseUnsafeNames(options);
  const selection = selectFiles(options, output);
  const staging = attempt('cannot-create', output, () => mkdtempSync(path.join(path.dirname(output), '.pack-')));
  try {
    const staged = path.join(staging, 'archive');
    const bytes = await writeArchive(options, selection, openSync(staged, 'wx'));
    attempt('cannot-create', output, () => renameSync(staged, output));
    return report(selection, { archive: output, bytes, options });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** `NAME-VERSION.EXTENSION` (row F5). */
export function defaultArchiveName(options: Pick<PackOptions, 'name' | 'version' | 'rules'>): string {
  return `${options.name}-${options.version}.${options.rules.extension}`;
}

/** The original creates its output before it looks for files, so an archive inside the package packs itself, empty. */
async function packInPlace(options: PackOptions, output: string): Promise<PackReport> {
  const descriptor = attempt('cannot-create', output, () => openSync(output, 'w'));
  const selection = attemptSelection(options, output, descriptor);
  const bytes = await writeArchive(options, selection, descriptor);
  return report(selection, { archive: output, bytes, options });
}

function attemptSelection(options: PackOptions, output: string, descriptor: number): Selection {
  try {
    return selectFiles(options, output);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Writes to a descriptor, closes it and returns the size. */
async function writeArchive(options: PackOptions, { files }: Selection, descriptor: number): Promise<number> {
  try {
    const { container } = options.rules;
    const prefix = container === 'zip' ? '' : `${options.name}-${options.version}/`;
    const pieces =
      container === 'zip'
        ? writeZip(withProgress(options, files, prefix))
        : compress(writeTar(withProgress(options, files, prefix)), {
            container,
            python: options.python,
            signal: options.signal,
          });
    for await (const piece of pieces) {
      options.signal?.throwIfAborted();
      for (let at = 0; at < piece.length;) at += writeSync(descriptor, piece, at);
    }
    return fstatSync(descriptor).size;
  } finally {
    closeSync(descriptor);
  }
}

function* withProgress(options: PackOptions, files: Selection['files'], prefix: string): Generator<TarMember> {
  for (const [index, file] of files.entries()) {
    options.signal?.throwIfAborted();
    options.onProgress?.({ files: index, totalFiles: files.length, file: file.path });
    yield { name: prefix + file.path, absolute: file.absolute, path: file.path };
  }
}

interface Written {
  readonly archive: string;
  readonly bytes: number;
  readonly options: PackOptions;
}

function report(selection: Selection, { archive, bytes, options }: Written): PackReport {
  const files = selection.files.map((file) => file.path);
  const isSigned = files.includes(options.rules.signatureFile);
  return { archive, bytes, files, isSigned, leftOut: selection.leftOut, findings: selection.findings };
}

function refuseUnsafeNames(options: PackOptions): void {
  for (const [what, value] of [
    ['name', options.name],
    ['version', options.version],
  ] as const) {
    if (isSafeComponent(value)) continue;
    throw archiveFailure(
      'unsafe-name',
      `Package ${what} '${printable(value)}' cannot be part of a file name on every system`,
      {
        path: options.directory,
        hint: `Change the ${what} in the manifest to letters, digits, '.', '-' and '_'`,
      },
    );
  }
}

function printable(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function attempt<Value>(reason: 'cannot-create', file: string, action: () => Value): Value {
  try {
    return action();
  } catch (cause) {
    throw archiveFailure(reason, `Cannot create '${file}'`, { cause, path: file });
  }
}

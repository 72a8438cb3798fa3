import { resolve } from 'node:path';

import type { UnpackLimits } from '../../archive/archive-limits.ts';
import type { UnpackReport } from '../../archive/unpack.ts';
import { CharmerError } from '../../errors.ts';
import type { PluginFormat } from '../../formats/format.ts';
import { formats as everyFormat } from '../../formats/index.ts';
import type { Finding } from '../../plugin-spec.ts';
import { readSpec } from '../read-spec.ts';
import { unpackArchive } from '../unpack-archive.ts';
import { existing, type PackageProgress, type PackageVerbOptions } from './target.ts';

/** How an archive becomes a plugin's directory. */
export interface UnpackOptions extends PackageVerbOptions {
  /** Directory that will hold the package's directory. @default the working directory */
  readonly destination?: string | undefined;
  /** Bounds, counted as really read. @default as the original's, with a floor of 50 MiB under the ratio */
  readonly limits?: Partial<UnpackLimits> | undefined;
  /** The original's verdicts, limits and order of work. @default false */
  readonly compat?: boolean | undefined;
  /** Refuses whatever would be a finding. @default false */
  readonly strict?: boolean | undefined;
  /** SHA-256 of the archive in hexadecimal; anything else is refused. */
  readonly sha256?: string | undefined;
  readonly onProgress?: ((progress: PackageProgress) => void) | undefined;
}

/** What was unpacked. */
export interface UnpackResult extends Omit<UnpackReport, 'findings'> {
  readonly format: string;
  /** What was odd and is accepted. */
  readonly findings: readonly Finding[];
}

/**
 * Unpacks an archive of any format. Every entry is checked before anything is written; the files are staged and then take
 * the place of an older package, which stays as it was on any failure. Nothing of the package is run, and its signature is
 * not looked at.
 *
 * @throws LocateError `PLUGIN_NOT_FOUND`
 * @throws ArchiveError `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_TOO_LARGE` with the finer reason in `details.reason`
 * @throws TrustError `DIGEST_MISMATCH` where `sha256` is given
 * @throws ManifestError under `strict`, where the manifest cannot be read
 */
export async function unpack(archive: string, options: UnpackOptions = {}): Promise<UnpackResult> {
  const { destination = '.', formats = everyFormat, limits, sha256, signal, onProgress } = options;
  const unreadable: Finding[] = [];
  const { format, ...report } = await unpackArchive(formats, {
    archive: existing(archive),
    destination: resolve(destination),
    ...(limits && { limits }),
    ...(options.compat === true && { compat: true }),
    ...(options.strict === true && { strict: true }),
    ...(sha256 !== undefined && { sha256 }),
    ...(signal && { signal }),
    accept: (staged, claimed) => nameFor(staged, claimed, { options, unreadable }),
    onProgress: ({ phase, entries }) => onProgress?.({ phase, message: `${entries} entries` }),
  });
  return { ...report, findings: [...unreadable, ...report.findings], format: format.name };
}

/** The directory should be called what the manifest says, where archives carry directory names (row FW10). */
function nameFor(
  staged: string,
  format: PluginFormat,
  { options, unreadable }: { options: UnpackOptions; unreadable: Finding[] },
): string | undefined {
  if (options.compat === true) return undefined;
  try {
    const { id, version } = readSpec(staged, format);
    return format.archive.container === 'zip' ? undefined : `${id}-${version}`;
  } catch (error) {
    if (!(error instanceof CharmerError) || options.strict === true) throw error;
    const { message, hint } = error;
    unreadable.push({ severity: 'warning', file: format.manifestFile, message, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}

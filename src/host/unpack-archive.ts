import { closeSync, openSync, readSync } from 'node:fs';

import { archiveReason } from '../archive/archive-failure.ts';
import { unpackPackage, type UnpackOptions, type UnpackReport } from '../archive/unpack.ts';
import { ArchiveError } from '../errors.ts';
import type { PluginFormat } from '../formats/format.ts';
import type { ArchiveRules } from '../plugin-spec.ts';

/** First bytes of the containers. */
const MAGIC: readonly (readonly [ArchiveRules['container'], string])[] = [
  ['tar.bz2', '425a68'],
  ['tar.gz', '1f8b'],
  ['zip', '504b'],
];

/** A package that was unpacked, and the format whose manifest it has. */
export interface UnpackedArchive extends UnpackReport {
  readonly format: PluginFormat;
}

/** Options of the unpacker, some of which depend on the format that turns out to be the archive's. */
export type UnpackArchiveOptions = Omit<UnpackOptions, 'rules' | 'manifestFile' | 'accept'> & {
  readonly accept?: (staged: string, format: PluginFormat) => string | undefined;
};

/**
 * Unpacks an archive as the format whose container it is and whose manifest it holds.
 *
 * @throws ArchiveError `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_TOO_LARGE`
 */
export async function unpackArchive(
  formats: readonly PluginFormat[],
  options: UnpackArchiveOptions,
): Promise<UnpackedArchive> {
  const candidates = formatsOf(options.archive, formats);
  let failure: unknown;
  for (const format of candidates) {
    const { accept, ...rest } = options;
    try {
      const report = await unpackPackage({
        ...rest,
        rules: format.archive,
        manifestFile: format.manifestFile,
        ...(accept && { accept: (staged) => accept(staged, format) }),
      });
      return { ...report, format };
    } catch (error) {
      // Another format with the same container may find its own manifest in there.
      if (archiveReason(error) !== 'no-manifest') throw error;
      failure ??= error;
    }
  }
  throw failure ?? unknownContainer(options.archive);
}

/** The formats that an archive may be of, told by its first bytes; empty: it is no archive that any of them has. */
export function formatsOf(archive: string, formats: readonly PluginFormat[]): readonly PluginFormat[] {
  const container = containerOf(archive);
  return formats.filter((format) => format.archive.container === container);
}

function containerOf(archive: string): ArchiveRules['container'] | undefined {
  const head = Buffer.alloc(3);
  const descriptor = openSync(archive, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return MAGIC.find(([, magic]) => head.toString('hex').startsWith(magic))?.[0];
}

function unknownContainer(archive: string): ArchiveError {
  return new ArchiveError(
    'ARCHIVE_INVALID',
    `'${archive}' is no archive: tar with bzip2 or gzip, or zip, was expected`,
    { path: archive, hint: 'Pack the plugin with charmer pack' },
  );
}

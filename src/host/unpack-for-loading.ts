import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { hashFile, unpackPackage } from '../archive/unpack.ts';
import { ArchiveError } from '../errors.ts';
import type { PluginFormat } from '../formats/format.ts';
import type { ArchiveRules } from '../plugin-spec.ts';
import type { HostContext } from './host-context.ts';

/** First bytes of the containers. */
const MAGIC: readonly (readonly [ArchiveRules['container'], string])[] = [
  ['tar.bz2', '425a68'],
  ['tar.gz', '1f8b'],
  ['zip', '504b'],
];

/**
 * Unpacks an archive into the cache, once per content, and gives the directory of the plugin in it.
 *
 * @throws ArchiveError `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_TOO_LARGE`
 */
export async function unpackForLoading(context: HostContext, archive: string): Promise<string> {
  const container = containerOf(archive);
  const destination = join(context.options.cacheDir, 'unpacked', await hashFile(archive));
  const candidates = context.formats.filter((format) => format.archive.container === container);
  for (const format of candidates) {
    const present = unpackedBefore(destination, format);
    if (present !== undefined) return present;
  }
  let failure: unknown;
  for (const { archive: rules, manifestFile } of candidates) {
    try {
      return (await unpackPackage({ archive, destination, rules, manifestFile, signal: context.closing })).directory;
    } catch (error) {
      failure ??= error;
      if (!(error instanceof ArchiveError) || error.code !== 'ARCHIVE_INVALID') throw error;
    }
  }
  throw failure;
}

function containerOf(archive: string): ArchiveRules['container'] {
  const head = Buffer.alloc(3);
  const descriptor = openSync(archive, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const found = MAGIC.find(([, magic]) => head.toString('hex').startsWith(magic));
  if (found !== undefined) return found[0];
  throw new ArchiveError(
    'ARCHIVE_INVALID',
    `'${archive}' is no archive: tar with bzip2 or gzip, or zip, was expected`,
    {
      path: archive,
      hint: 'Pack the plugin with charmer pack.',
    },
  );
}

/** Unpacking ends with a rename, so a directory that is there is whole. */
function unpackedBefore(destination: string, { manifestFile }: PluginFormat): string | undefined {
  try {
    for (const entry of readdirSync(destination, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const directory = join(destination, entry.name);
      if (readdirSync(directory).includes(manifestFile)) return directory;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return undefined;
}

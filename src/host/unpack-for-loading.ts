import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { hashFile } from '../archive/unpack.ts';
import type { PluginFormat } from '../formats/format.ts';
import type { HostContext } from './host-context.ts';
import { formatsOf, unpackArchive } from './unpack-archive.ts';

/**
 * Unpacks an archive into the cache, once per content, and gives the directory of the plugin in it.
 *
 * @throws ArchiveError `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_TOO_LARGE`
 */
export async function unpackForLoading(context: HostContext, archive: string): Promise<string> {
  const { formats, options, closing } = context;
  const destination = join(options.cacheDir, 'unpacked', await hashFile(archive));
  for (const format of formatsOf(archive, formats)) {
    const present = unpackedBefore(destination, format);
    if (present !== undefined) return present;
  }
  return (await unpackArchive(formats, { archive, destination, signal: closing })).directory;
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

import { DEFAULT_LIMITS } from '../../src/archive/archive-limits.ts';
import { openArchive } from '../../src/archive/open-archive.ts';

/** Name and size of every member of an archive, in order. */
export async function membersOf(archive: string): Promise<[string, number][]> {
  const open = openArchive(archive, 'tar.bz2');
  try {
    const members: [string, number][] = [];
    for await (const entry of open.entries(DEFAULT_LIMITS)) members.push([entry.name.toString(), entry.bytes]);
    return members;
  } finally {
    open.close();
  }
}

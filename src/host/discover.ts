import { CharmerError } from '../errors.ts';
import { discoverDirectories } from '../locate/discover-directories.ts';
import { formatNamed, type HostContext } from './host-context.ts';
import { readSpec } from './read-spec.ts';

/** One plugin of a directory, or one that is broken. */
export interface PluginSummary {
  readonly directory: string;
  /** Empty where several formats claim the directory. */
  readonly format: string;
  readonly status: 'ok' | 'broken';
  readonly id?: string;
  readonly title?: string;
  readonly version?: string;
  readonly description?: string;
  /** Names of the operations, as far as the manifest tells them. */
  readonly operations?: readonly string[];
  /** Why it is broken. */
  readonly error?: CharmerError;
}

/** The plugins in the sub-directories of `paths`: manifests only, sorted by directory, broken ones with their reason. */
export function discover(context: HostContext, paths: readonly string[]): readonly PluginSummary[] {
  const claims = context.formats.map(({ name, manifestFile, archive }) => ({
    name,
    manifestFile,
    archiveExtension: archive.extension,
  }));
  return discoverDirectories(paths, claims).map((found) =>
    'format' in found
      ? summarize(context, found.directory, found.format)
      : { directory: found.directory, format: '', status: 'broken', error: found.problem },
  );
}

function summarize(context: HostContext, directory: string, format: string): PluginSummary {
  try {
    const { id, title, version, description, operations } = readSpec(directory, formatNamed(context, format));
    return {
      directory,
      format,
      status: 'ok',
      id,
      title,
      version,
      ...(description !== undefined && { description }),
      ...(operations !== undefined && { operations: operations.map((operation) => operation.name) }),
    };
  } catch (error) {
    if (!(error instanceof CharmerError)) throw error;
    return { directory, format, status: 'broken', error };
  }
}

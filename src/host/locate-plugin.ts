import type { RemoteSource } from '../formats/format.ts';
import { locate } from '../locate/locate.ts';
import type { Identity, Located } from '../locate/located.ts';
import { openTree } from '../locate/open-tree.ts';
import { withLock } from '../provision/cross-process-lock.ts';
import { formatNamed, type HostContext } from './host-context.ts';
import type { LoadOptions } from './load-options.ts';
import { unpackForLoading } from './unpack-for-loading.ts';

/** Finds the directory that a reference means, and the format that claims it. */
export async function locatePlugin(
  context: HostContext,
  reference: string,
  options: LoadOptions & Pick<RemoteSource, 'sha256'>,
): Promise<Located> {
  const pinned = options.sha256 === undefined ? {} : { sha256: options.sha256 };
  const { formats } = context;
  return locate(reference, {
    formats: formats.map(({ name, manifestFile, archive }) => ({
      name,
      manifestFile,
      archiveExtension: archive.extension,
    })),
    searchPath: context.options.searchPath,
    baseDir: options.baseDir ?? process.cwd(),
    ...(options.signal && { signal: options.signal }),
    readId: (directory, format) => readId(context, directory, format),
    unpackArchive: (file) => unpackForLoading(context, file),
    parseRemote: (text) =>
      formats.map((format) => format.parseReference?.(text)).find((source) => source !== undefined),
    fetchRemote: async (source) => {
      const { fetchGithub } = await import('../locate/github.ts');
      const format = formats.find(({ github }) => github !== undefined);
      if (format?.github === undefined) throw new TypeError('No format of this host has plugins on GitHub');
      return fetchGithub(
        { ...source, ...pinned },
        {
          cacheDir: context.options.cacheDir,
          env: context.hostEnv(),
          manifestFile: format.manifestFile,
          checkManifest: (bytes, path) => format.github?.checkManifest(bytes, path),
          withLock: (path, work) => withLock(path, { signal: options.signal }, work),
          bases: format.github.bases(process.env),
          onWarning: (message) => context.events.emit('warning', { plugin: reference, message }),
          ...(options.refresh !== undefined && { refresh: options.refresh }),
          ...(options.signal && { signal: options.signal }),
        },
      );
    },
  });
}

/** What a directory's manifest says it is called, or undefined when it cannot be read. */
function readId(context: HostContext, directory: string, format: string): Identity | undefined {
  try {
    const { id, version } = formatNamed(context, format).read(openTree(directory));
    return { id, version };
  } catch {
    // A broken manifest has no name to be found by; `discover` tells why it is broken.
    return undefined;
  }
}

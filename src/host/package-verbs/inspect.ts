import { Slots } from '../../plugin/slots.ts';
import type { PluginSpec } from '../../plugin-spec.ts';
import { verifyPackage, type Verification } from '../../signing/verify-package.ts';
import { EventHub } from '../events.ts';
import { formatNamed, type HostContext } from '../host-context.ts';
import { createLauncher } from '../launcher.ts';
import { parseHostOptions, type HostOptions } from '../host-options.ts';
import { locatePlugin } from '../locate-plugin.ts';
import { readSpec } from '../read-spec.ts';
import { publicKeyOf, type VerifyOptions } from './verify.ts';

/** Where to look, and whom to trust. */
export interface InspectOptions extends Pick<VerifyOptions, 'keys' | 'covered' | 'formats' | 'signal'> {
  /** Directories whose sub-directories are plugins that can be named. @default [] */
  readonly searchPath?: readonly string[] | undefined;
  /** Directory for what is unpacked and fetched. @default as for a host */
  readonly cacheDir?: string | undefined;
  /** What relative references are relative to. @default the working directory */
  readonly baseDir?: string | undefined;
}

/** What a plugin is, without having started it. */
export interface Inspection {
  readonly reference: string;
  readonly source: 'directory' | 'archive' | 'search' | 'github' | 'installed';
  readonly format: string;
  /** What the manifest says; `spec.findings` are its oddities. */
  readonly spec: PluginSpec;
  readonly signature: Verification;
}

/**
 * Tells what a plugin is, and how it is signed, from its files alone: nothing of it is run.
 *
 * @param reference As for `host.load`: a directory, an archive, a name on the search path, or `owner/repo@tag`
 * @throws LocateError | ArchiveError | ManifestError there is no plugin, or its manifest is broken
 */
export async function inspect(reference: string, options: InspectOptions = {}): Promise<Inspection> {
  const { keys = [], covered = 'original', baseDir, signal } = options;
  const trustedKeys = keys.map(publicKeyOf);
  const context = contextFor(options);
  const found = await locatePlugin(context, reference, {
    ...(baseDir !== undefined && { baseDir }),
    ...(signal && { signal }),
  });
  const format = formatNamed(context, found.format);
  const signature = await verifyPackage(found.directory, format.archive, {
    trustedKeys,
    covered,
    ...(signal && { signal }),
  });
  const { kind: source } = found.source;
  return { reference, source, format: format.name, spec: readSpec(found.directory, format), signature };
}

/** What finding a plugin needs of a host, without one: no process can be started with it. */
function contextFor({ searchPath, cacheDir, formats, signal }: InspectOptions): HostContext {
  const given: HostOptions = {
    ...(searchPath && { searchPath }),
    ...(cacheDir !== undefined && { cacheDir }),
    ...(formats && { formats }),
  };
  const options = parseHostOptions(given);
  return {
    options,
    formats: options.formats,
    events: new EventHub(),
    slots: new Slots(options.maxProcesses),
    closing: signal ?? new AbortController().signal,
    leaseOwner: '',
    hostEnv: () => ({ ...process.env }),
    launcher: createLauncher(() => Promise.reject(new TypeError('Inspecting a plugin starts no process')), options),
  };
}

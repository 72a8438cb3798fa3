/** The road that a reference travels: locate → verify → read → authorize → provision → open. */
import type { Plugin } from '../plugin/plugin.ts';
import type { PipelineSession } from '../pipeline/pipeline-session.ts';
import { authorize } from './authorize.ts';
import { formatNamed, type HostContext } from './host-context.ts';
import { parseLoadOptions, type LoadOptions } from './load-options.ts';
import { locatePlugin } from './locate-plugin.ts';
import { openPlugin } from './open-plugin.ts';
import { provision } from './provision-plugin.ts';
import { readSpec } from './read-spec.ts';
import { verify } from './verify.ts';

/**
 * Takes a reference to a plugin that is ready to be called.
 *
 * @throws LocateError | ArchiveError nothing that can be loaded is there
 * @throws TrustError it is not what the policy demands; nothing of it was parsed or run
 * @throws ManifestError its manifest is broken
 * @throws ProvisionError the machine lacks what it needs
 * @throws StartError it did not become ready
 */
export async function loadPlugin(
  context: HostContext,
  reference: string,
  given: LoadOptions,
): Promise<Plugin<PipelineSession>> {
  const options = parseLoadOptions(given);
  const found = await locatePlugin(context, reference, options);
  const provenance = await verify(context, found);
  const format = formatNamed(context, found.format);
  const read = () => readSpec(provenance.directory, format);
  const spec = read();
  authorize(spec, provenance, context.options.trust);
  const plan = await provision(context, spec, options);
  return openPlugin(context, { planned: { spec, plan }, provenance, format, read }, options);
}

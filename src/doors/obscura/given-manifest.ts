import { AsyncLocalStorage } from 'node:async_hooks';

import { obscura, specOf } from '../../formats/obscura/index.ts';
import type { ObscuraManifest } from '../../formats/obscura/manifest.ts';
import type { PluginFormat } from '../../formats/format.ts';

/**
 * The format with two habits of the original's runner: it runs the manifest that its caller hands in, whatever the
 * file says by now, and it sends a batch to every plugin that does not refuse one (spec §2.4, §3).
 */
export interface GivenManifests {
  readonly format: PluginFormat;
  /** Runs work in which the given manifest stands for the file. */
  run<T>(manifest: ObscuraManifest, work: () => Promise<T>): Promise<T>;
}

/** @param base The format, or a variant of it with a conversation of its own. */
export function givenManifests(base: PluginFormat = obscura): GivenManifests {
  const given = new AsyncLocalStorage<ObscuraManifest>();
  const format: PluginFormat = {
    ...base,
    read: (files) => {
      const manifest = given.getStore();
      if (manifest === undefined) return base.read(files);
      const parsed = { manifest, undeclaredCapabilities: {}, document: manifest, positions: { of: () => undefined } };
      return specOf(parsed, files);
    },
    conversation: batchesUnlessRefused(base.conversation),
  };
  return { format, run: (manifest, work) => given.run(manifest, work) };
}

function batchesUnlessRefused(conversation: PluginFormat['conversation']): PluginFormat['conversation'] {
  if (conversation.kind !== 'one-shot') return conversation;
  return {
    ...conversation,
    canBatch: (spec) => {
      const { capabilities } = spec.manifest as { readonly capabilities?: Readonly<Record<string, unknown>> };
      return capabilities?.['supportsBatch'] !== false;
    },
  };
}

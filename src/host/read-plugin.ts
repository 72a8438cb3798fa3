import type { PluginFormat } from '../formats/format.ts';
import type { Provenance } from '../plugin/provenance.ts';
import type { PlannedPlugin } from '../plugin/resident-backend.ts';
import type { PluginSpec } from '../plugin-spec.ts';

/** A plugin that was read and planned, and what reads it again. */
export interface ReadPlugin {
  readonly planned: PlannedPlugin;
  readonly provenance: Provenance;
  readonly format: PluginFormat;
  /** Reads the manifest as it is now. */
  read(): PluginSpec;
}

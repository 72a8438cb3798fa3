import type { PluginFormat } from '../formats/format.ts';
import { openTree } from '../locate/open-tree.ts';
import type { PluginSpec } from '../plugin-spec.ts';

/** Reads a directory's manifest by its format. */
export function readSpec(directory: string, format: PluginFormat): PluginSpec {
  return format.read(openTree(directory));
}

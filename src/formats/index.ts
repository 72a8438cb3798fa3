import { fidius } from './fidius/index.ts';
import type { PluginFormat } from './format.ts';
import { obscura } from './obscura/index.ts';
import { remotemedia } from './remotemedia/index.ts';

export { packingOf, type Packing } from './packing.ts';

/** Every format, in the order in which they claim directories: the only place that names them all. */
export const formats: readonly PluginFormat[] = [remotemedia, fidius, obscura];

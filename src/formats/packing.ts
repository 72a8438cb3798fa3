import type { PluginSpec } from '../plugin-spec.ts';

/** What a package's manifest says about its archive. */
export interface Packing {
  /** Extension of the archive without its dot. @default the format's */
  readonly extension?: string;
  /** Requirements that are installed into the package before it is packed, as a path inside it. @default none are */
  readonly requirementsFile?: string;
}

/** How the packages of each format that has a say in it want to be packed. */
const PACKING: Readonly<Record<string, (manifest: PluginSpec['manifest']) => Packing>> = {
  fidius: ({ extension, python }) => ({
    ...(typeof extension === 'string' && { extension }),
    ...(isTable(python) && typeof python['requirements'] === 'string' && { requirementsFile: python['requirements'] }),
  }),
};

/** What a plugin's manifest says about its archive. */
export function packingOf(spec: PluginSpec): Packing {
  return PACKING[spec.format]?.(spec.manifest) ?? {};
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

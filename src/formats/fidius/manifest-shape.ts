import { isArray, isDatetime, isTable, type TomlDocument, type TomlFault } from './toml-value.ts';
import type { TomlValue } from './toml-value.ts';

type FieldKind = 'string' | 'u32' | 'strings';

interface TableShape {
  /** Word of the original's messages for the whole table. */
  readonly title: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** In the order in which their absence is reported. */
  readonly required: readonly string[];
}

/** The typed tables of a manifest (spec 1.1). Everything else is ignored. */
const SHAPES: Readonly<Record<string, TableShape>> = {
  package: {
    title: 'struct PackageHeader',
    fields: {
      name: 'string',
      version: 'string',
      interface: 'string',
      interface_version: 'u32',
      extension: 'string',
      runtime: 'string',
    },
    required: ['name', 'version', 'interface', 'interface_version'],
  },
  python: {
    title: 'struct PythonPackageMeta',
    fields: { entry_module: 'string', requirements: 'string' },
    required: ['entry_module'],
  },
  wasm: {
    title: 'struct WasmPackageMeta',
    fields: { component: 'string', precompiled: 'string', capabilities: 'strings' },
    required: ['component'],
  },
};

const LARGEST_U32 = 4_294_967_295n;

/** The first field of the wrong type, in document order, or the first missing one; undefined: the shape is right. */
export function shapeFault(document: TomlDocument): (TomlFault & { key: string }) | undefined {
  for (const [section, value] of Object.entries(document.root)) {
    const shape = Object.hasOwn(SHAPES, section) ? SHAPES[section] : undefined;
    const fault = shape && tableFault(document, section, { value, shape });
    if (fault !== undefined) return fault;
  }
  for (const section of ['package', 'metadata']) {
    if (!Object.hasOwn(document.root, section)) {
      return { line: 1, column: 1, width: rootWidth(document), reason: `missing field \`${section}\``, key: section };
    }
  }
  return undefined;
}

/**
 * Length of what the original underlines when a field of the root is missing: the root's own key-values, of which those on
 * the first line are shown. Counted in bytes, as the original counts.
 */
function rootWidth({ positions }: TomlDocument): number {
  return Math.max(1, positions.rootEntryBytes);
}

type Fault = TomlFault & { key: string };

function tableFault(
  document: TomlDocument,
  section: string,
  { value, shape }: { value: TomlValue; shape: TableShape },
): Fault | undefined {
  if (!isTable(value)) return at(document, section, `invalid type: ${describe(value)}, expected ${shape.title}`);
  for (const [key, field] of Object.entries(value)) {
    const kind = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    const fault = kind && fieldFault(document, `${section}.${key}`, { field, kind });
    if (fault !== undefined) return fault;
  }
  const missing = shape.required.find((key) => !Object.hasOwn(value, key));
  return missing === undefined
    ? undefined
    : { ...at(document, section, `missing field \`${missing}\``), key: `${section}.${missing}` };
}

function fieldFault(
  document: TomlDocument,
  key: string,
  { field, kind }: { field: TomlValue; kind: FieldKind },
): Fault | undefined {
  if (kind === 'strings') return listFault(document, key, field);
  const expected = kind === 'u32' ? 'u32' : 'a string';
  if (kind === 'string' ? typeof field === 'string' : typeof field === 'bigint' && isU32(field)) return undefined;
  const what = kind === 'u32' && typeof field === 'bigint' ? 'value' : 'type';
  return at(document, key, `invalid ${what}: ${describe(field)}, expected ${expected}`);
}

function listFault(document: TomlDocument, key: string, field: TomlValue): Fault | undefined {
  if (!isArray(field)) return at(document, key, `invalid type: ${describe(field)}, expected a sequence`);
  const wrong = field.findIndex((item) => typeof item !== 'string');
  const item = field[wrong];
  return item === undefined
    ? undefined
    : at(document, `${key}[${wrong}]`, `invalid type: ${describe(item)}, expected a string`);
}

function isU32(value: bigint): boolean {
  return value >= 0n && value <= LARGEST_U32;
}

function at(document: TomlDocument, key: string, reason: string): Fault {
  const position = document.positions.values.get(key) ?? { line: 1, column: 1, width: 1 };
  return { ...position, reason, key };
}

function describe(value: TomlValue): string {
  if (typeof value === 'string') return `string ${JSON.stringify(value)}`;
  if (typeof value === 'bigint') return `integer \`${value}\``;
  if (typeof value === 'number') return `floating point \`${Number.isInteger(value) ? `${value}.0` : value}\``;
  if (typeof value === 'boolean') return `boolean \`${value}\``;
  if (isArray(value)) return 'sequence';
  return isDatetime(value) ? 'datetime' : 'map';
}

/** The registry's `index.yml`: its addresses, its entries, its versions (spec §5, O43). No network. */
import { LocateError, ManifestError } from '../../errors.ts';
import { CAPABILITY_KEYS, textOf } from './manifest.ts';
import { isRecord, ownValue } from './record.ts';
import { parseYaml } from './yaml.ts';

/** One plugin that a registry offers. */
export interface RegistryEntry {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly date: string;
  /** Of the archive: an address, or relative to the index. */
  readonly path: string;
  /** In hexadecimal; blank: none is stated. */
  readonly sha256: string;
  readonly runtime: string;
  readonly isNsfw: boolean;
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly description?: string;
  readonly author?: string;
  readonly requires?: readonly string[];
}

/** Entries with what was wrong in them (spec W38). */
export interface RegistryIndex {
  readonly entries: readonly RegistryEntry[];
  readonly warnings: readonly string[];
}

/** The address of the index for the address of a registry. */
export function resolveIndexUrl(base: string): string {
  return /\.ya?ml(?:\?[^?]*)?$/i.test(base) ? base : `${base.replace(/\/+$/, '')}/index.yml`;
}

/**
 * The address of an entry's archive.
 *
 * @throws LocateError `REFERENCE_INVALID` for a relative path with `..`, which would leave the registry (spec W38)
 */
export function resolveEntryZipUrl(base: string, path: string): string {
  if (/^https?:\/\//i.test(path)) return path;
  if (/(?:^|[/\\])(?:\.|%2e){2}(?:[/\\?#]|$)/i.test(path)) {
    throw new LocateError('REFERENCE_INVALID', `The archive path '${path}' leaves the registry '${base}'`, { path });
  }
  const folder = base.replace(/\/?index\.ya?ml(?:\?[^?]*)?$/i, '').replace(/\/+$/, '');
  return `${folder}/${path.replace(/^\/+/, '')}`;
}

/**
 * Compares versions as the registry does: what stands before `-` or `+`, number by number, what is no number as 0.
 *
 * @returns below 0 when `a` is older, above 0 when it is newer, 0 when they are equal
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionNumbers(a), versionNumbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/**
 * Reads an index. Members that are no objects are dropped; capabilities keep their booleans, the rest is a warning.
 *
 * @throws ManifestError `MANIFEST_INVALID`
 */
export function parseRegistryIndex(text: string, address: string): RegistryIndex {
  const { value } = parseYaml(text, address);
  if (!Array.isArray(value)) {
    throw new ManifestError('MANIFEST_INVALID', 'Invalid plugin index format — expected array', { path: address });
  }
  const warnings: string[] = [];
  const entries = value
    .filter((member) => typeof member === 'object' && member !== null)
    .map((member: object) => entryOf(member, warnings));
  return { entries, warnings };
}

function entryOf(member: object, warnings: string[]): RegistryEntry {
  const field = (key: string): unknown => ownValue(member, key);
  const textField = (key: string): string => textOf(field(key) ?? '');
  const id = textField('id');
  const [description, author, requires] = [field('description'), field('author'), field('requires')];
  return {
    id,
    name: textField('name'),
    version: textField('version'),
    date: textField('date'),
    path: textField('path'),
    sha256: textField('sha256'),
    runtime: textOf(field('runtime') ?? 'python'),
    isNsfw: field('isNsfw') === true,
    capabilities: checkedCapabilities(field('capabilities'), (problem) => warnings.push(`Entry '${id}': ${problem}`)),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof author === 'string' ? { author } : {}),
    ...(Array.isArray(requires) ? { requires: requires.map(textOf) } : {}),
  };
}

function checkedCapabilities(value: unknown, warn: (problem: string) => void): Record<string, boolean> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    warn('capabilities is no mapping');
    return {};
  }
  const known: readonly string[] = CAPABILITY_KEYS;
  const kept = Object.entries(value).filter((entry): entry is [string, boolean] => {
    const [key, flag] = entry;
    if (!known.includes(key)) warn(`unknown capability ${key}`);
    else if (typeof flag !== 'boolean') warn(`capability ${key} is no boolean`);
    return known.includes(key) && typeof flag === 'boolean';
  });
  return Object.fromEntries(kept);
}

function versionNumbers(version: string): number[] {
  const core = version.split(/[-+]/)[0] ?? '';
  return core.split('.').map((part) => {
    const number = Number.parseInt(part, 10);
    return Number.isNaN(number) ? 0 : number;
  });
}

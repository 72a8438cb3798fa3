/** `manifest.yml` as the original reads it: every coercion, every refusal, in its order (spec §1.2 to §1.5). */
import { ManifestError } from '../../errors.ts';
import { didYouMean } from '../../nearest-name.ts';
import { isRecord, ownValue } from './record.ts';
import { decodeUtf8, parseYaml, type YamlPositions } from './yaml.ts';

/** File name that claims a directory. */
export const MANIFEST_FILE = 'manifest.yml';

/** Every capability key, in the order in which the map of a manifest is filled (spec §1.3: 25 of E1, 9 of E3). */
export const CAPABILITY_KEYS: readonly string[] = [
  ...['videoByURL', 'videoByFragment', 'videoByName', 'folderByName', 'folderByFragment', 'folderCascade'],
  ...['galleryByURL', 'galleryByFragment', 'imageByURL', 'audioByURL', 'audioByFragment', 'audioLibraryByName'],
  ...['performerByURL', 'performerByFragment', 'performerByName', 'movieByName', 'movieByURL', 'movieByFragment'],
  ...['seriesByName', 'seriesByURL', 'seriesByFragment', 'seriesCascade', 'episodeByName', 'episodeByFragment'],
  ...['supportsBatch', 'bookByURL', 'bookByName', 'bookByFragment', 'comicByURL', 'comicByName', 'comicByFragment'],
  ...['mangaByURL', 'mangaByName', 'mangaByFragment'],
];

/** What runs the plugin. */
export type ObscuraRuntime = 'python' | 'typescript' | 'stash-compat';
const RUNTIMES: readonly string[] = ['python', 'typescript', 'stash-compat'] satisfies ObscuraRuntime[];

/** A key that the plugin wants from its user (spec §1.4). A type, not an interface: so that it is a `JsonObject` too. */
export type ObscuraAuthField = {
  readonly key: string;
  readonly label: string;
  readonly required: boolean;
  readonly url?: string;
};

/** A manifest after the original's coercions: what its library functions give and take. A `JsonObject` like its fields. */
export type ObscuraManifest = {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly author?: string;
  readonly description?: string;
  readonly homepage?: string;
  readonly isNsfw: boolean;
  readonly tags?: readonly string[];
  readonly runtime: ObscuraRuntime;
  readonly entry?: string;
  /** Words of the command. */
  readonly script?: readonly string[];
  readonly stashDefinition?: string;
  readonly requires?: readonly string[];
  readonly auth?: readonly ObscuraAuthField[];
  readonly capabilities: Readonly<Record<string, boolean>>;
};

/** A manifest with what the original forgets. */
export interface ParsedManifest {
  readonly manifest: ObscuraManifest;
  /** Boolean capabilities of names that nobody knows: dropped by the original, kept here (spec §1.3). */
  readonly undeclaredCapabilities: Readonly<Record<string, boolean>>;
  /** The document before coercion. */
  readonly document: unknown;
  readonly positions: YamlPositions;
}

/**
 * Reads the bytes of a `manifest.yml`.
 *
 * @throws ManifestError `MANIFEST_INVALID` with the original's text for its six causes, and with the parser's reason
 *   otherwise; `line`, `column` and `key` where they are known
 */
export function parseManifest(bytes: Uint8Array, directory: string): ParsedManifest {
  const { value, positions } = parseYaml(decodeUtf8(bytes), `${directory}/${MANIFEST_FILE}`);
  const manifest = coerceManifest(value, { directory, positions });
  return { manifest, undeclaredCapabilities: undeclaredCapabilities(value), document: value, positions };
}

/** Where a document comes from, for the errors. */
export interface ManifestOrigin {
  readonly directory: string;
  readonly positions?: YamlPositions;
}

/**
 * Coerces a parsed document. Fields are checked in the order id, name, version, runtime, capabilities, auth.
 *
 * @throws ManifestError `MANIFEST_INVALID`
 */
export function coerceManifest(document: unknown, origin: ManifestOrigin): ObscuraManifest {
  if (typeof document !== 'object' || document === null) {
    throw invalid('Invalid YAML structure in manifest.yml', origin, {
      hint: 'Write a mapping with id, name, version, runtime and capabilities.',
    });
  }
  const field = (key: string): unknown => ownValue(document, key);
  const required = (key: string): string => requiredText(field(key), key, origin);
  const [id, name, version, runtime] = [required('id'), required('name'), required('version'), required('runtime')];
  if (!isRuntime(runtime)) throw unknownRuntime(runtime, origin);
  const capabilities = field('capabilities');
  if (typeof capabilities !== 'object' || capabilities === null) {
    throw invalid('Missing or invalid "capabilities" in manifest', origin, {
      key: 'capabilities',
      hint: 'Write a mapping from capability names to true or false; an empty one is {}.',
    });
  }
  const manifest = {
    id,
    name,
    version,
    author: optionalText(field('author')),
    description: optionalText(field('description')),
    homepage: optionalText(field('homepage')),
    isNsfw: field('isNsfw') === true,
    tags: listOf(field('tags'))?.filter((tag): tag is string => typeof tag === 'string'),
    runtime,
    entry: optionalText(field('entry')),
    script: listOf(field('script'))?.map(textOf),
    stashDefinition: optionalText(field('stashDefinition')),
    requires: listOf(field('requires'))?.map(textOf),
    auth: listOf(field('auth'))?.map((entry, index) => authField(entry, index, origin)),
    capabilities: knownCapabilities(capabilities),
  };
  return withoutAbsent(manifest);
}

/** JavaScript's own conversion to text; what cannot be converted reads `[object Object]` as other objects do. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return '[object Object]';
  }
}

function requiredText(value: unknown, key: string, origin: ManifestOrigin): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  const kind = typeof value === 'number' ? 'a number' : 'a boolean';
  const hint = isScalar
    ? `The ${key} is ${kind}: put it in quotes, as in ${key}: '${textOf(value)}'.`
    : `Write ${key} as text that is not blank.`;
  throw invalid(`Missing or empty required field "${key}" in manifest`, origin, { key, hint });
}

function isRuntime(text: string): text is ObscuraRuntime {
  return RUNTIMES.includes(text);
}

function unknownRuntime(runtime: string, origin: ManifestOrigin): ManifestError {
  const message = `Invalid runtime "${runtime}" — must be "python", "typescript", or "stash-compat"`;
  return invalid(message, origin, { key: 'runtime', hint: didYouMean(runtime, RUNTIMES) });
}

function authField(entry: unknown, index: number, origin: ManifestOrigin): ObscuraAuthField {
  if (typeof entry !== 'object' || entry === null) {
    throw invalid('Invalid auth entry in manifest', origin, {
      key: `auth.${index}`,
      path: ['auth', index],
      hint: 'Write each entry as a mapping, as in - key: API_KEY.',
    });
  }
  const key = ownValue(entry, 'key');
  const label = ownValue(entry, 'label') ?? key;
  const url = ownValue(entry, 'url');
  return {
    key: textOf(key ?? ''),
    label: textOf(label ?? ''),
    required: ownValue(entry, 'required') !== false,
    ...(typeof url === 'string' ? { url } : {}),
  };
}

function knownCapabilities(declared: object): Record<string, boolean> {
  const known: Record<string, boolean> = {};
  for (const key of CAPABILITY_KEYS) {
    const value = ownValue(declared, key);
    if (typeof value === 'boolean') known[key] = value;
  }
  return known;
}

function undeclaredCapabilities(document: unknown): Record<string, boolean> {
  const declared = isRecord(document) ? ownValue(document, 'capabilities') : undefined;
  if (!isRecord(declared)) return {};
  const known: readonly string[] = CAPABILITY_KEYS;
  const unknown = Object.entries(declared).filter(
    (entry): entry is [string, boolean] => !known.includes(entry[0]) && typeof entry[1] === 'boolean',
  );
  return Object.fromEntries(unknown);
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

function withoutAbsent<T extends object>(fields: T): Present<T> & Optional<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T> &
    Optional<T>;
}

interface Complaint {
  readonly key?: string;
  readonly path?: readonly (string | number)[];
  readonly hint?: string | undefined;
}

function invalid(message: string, origin: ManifestOrigin, complaint: Complaint): ManifestError {
  const path = complaint.path ?? (complaint.key === undefined ? [] : [complaint.key]);
  const where = origin.positions?.of(path) ?? origin.positions?.of([]);
  return new ManifestError('MANIFEST_INVALID', message, {
    path: `${origin.directory}/${MANIFEST_FILE}`,
    key: complaint.key,
    hint: complaint.hint,
    line: where?.line,
    column: where?.column,
  });
}

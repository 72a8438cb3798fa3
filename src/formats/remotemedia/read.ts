/** A directory with a `plugin.toml` → `PluginSpec`. Pure but for the tree that it is given. */
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ManifestError } from '../../errors.ts';
import type { Finding, JsonObject, PluginSpec, PythonNeeds } from '../../plugin-spec.ts';
import type { ReadonlyTree } from '../format.ts';
import { MANIFEST_FILE, parsePluginToml, type PluginToml } from './manifest.ts';
import { decoratorRequirements, importsPackage, inlineRequirements } from './python-source.ts';
import { distributionName, mergeRequirements, type RequirementSources } from './requirements.ts';

// `src/formats/remotemedia` and `dist/formats/remotemedia` are equally deep; the Python half ships in `src` only.
const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Absolute directory that holds our `remotemedia` package: what plugins import. */
export const PYTHON_DIRECTORY: string = join(PACKAGE_ROOT, 'src', 'formats', 'remotemedia', 'python');

/** What the original brings into every environment, and plugins import without listing it. */
const NUMPY = 'numpy>=1.21,<3';

/** A plugin with more modules beside its entry module than this is not searched for imports any further. */
const MAX_MODULES_SEARCHED = 64;

/**
 * R1 to R9, R54: reads the manifest and looks at the entry module's text for requirements.
 *
 * @throws ManifestError `MANIFEST_NOT_FOUND`, `MANIFEST_INVALID`
 * @throws LocateError `NATIVE_PLUGIN_UNSUPPORTED` for a native plugin
 */
export function readPlugin(tree: ReadonlyTree): PluginSpec {
  const path = join(tree.directory, MANIFEST_FILE);
  const bytes = tree.read(MANIFEST_FILE);
  if (bytes === undefined) {
    throw new ManifestError('MANIFEST_NOT_FOUND', `There is no '${MANIFEST_FILE}' in '${tree.directory}'`, { path });
  }
  const toml = parsePluginToml(bytes, path);
  const entry = entryModuleFile(tree, toml);
  const declared = declarations(tree, toml, entry);
  const needs = requirementsOf(declared, { isStrict: false, pythonDeps: [], extraDeps: [] });
  return {
    format: 'remotemedia',
    directory: tree.directory,
    id: toml.name,
    title: toml.name,
    version: toml.version,
    ...about(toml),
    operations: toml.nodeTypes.map((name) => ({ name, kind: 'node', wireMode: 'typed' })),
    python: {
      ...needs,
      importFirst: [PYTHON_DIRECTORY, join(tree.directory, toml.moduleRoot)],
      importLast: [],
      seesBaseSitePackages: false,
    },
    secrets: [],
    opening: {
      entry_module: toml.entryModule,
      module_root: join(tree.directory, toml.moduleRoot),
      node_types: toml.nodeTypes,
      directory: tree.directory,
    },
    manifest: manifestOf(toml, declared),
    findings: findings(tree, toml, {
      entry,
      offersNumpy: needs.requirements.includes(NUMPY) && !lists(declared, NUMPY),
    }),
  };
}

/** What a pipeline adds to a plugin's own needs. */
export interface AddedNeeds {
  /** `python_deps` of the node. */
  readonly pythonDeps?: readonly string[];
  /** `python_env.extra_deps`. */
  readonly extraDeps?: readonly string[];
  /** `python_env.python_version`. */
  readonly version?: string | undefined;
  /** R54: only `[python].requires`. @default false */
  readonly isStrict?: boolean | undefined;
}

/**
 * R54: what a plugin needs from Python with what a pipeline adds. What only the code asks for was never installed by the
 * original, so a plugin is started without it where it cannot be had.
 */
export function pythonFor(spec: PluginSpec, added: AddedNeeds = {}): PythonNeeds {
  const { version, isStrict = false, pythonDeps = [], extraDeps = [] } = added;
  const { mandatory: _, ...python } = spec.python;
  return {
    ...python,
    ...requirementsOf(declarationsOf(spec.manifest), { isStrict, pythonDeps, extraDeps }),
    ...(version === undefined ? {} : { version }),
  };
}

type Declared = Pick<RequirementSources, 'inline' | 'decorator' | 'requires'> & { readonly importsNumpy: boolean };

function requirementsOf(
  declared: Declared,
  added: Required<Pick<AddedNeeds, 'pythonDeps' | 'extraDeps'>> & { readonly isStrict: boolean },
): Pick<PythonNeeds, 'requirements' | 'mandatory'> {
  const { importsNumpy, ...sources } = declared;
  const { isStrict, ...deps } = added;
  const mandatory = mergeRequirements({ ...sources, inline: [], decorator: [], ...deps }, isStrict);
  const merged = mergeRequirements({ ...sources, ...deps }, isStrict);
  const lacksNumpy = importsNumpy && !merged.some((line) => distributionName(line) === 'numpy');
  const requirements = lacksNumpy ? [...merged, NUMPY].sort() : merged;
  return requirements.length === mandatory.length ? { requirements } : { requirements, mandatory };
}

function declarations(tree: ReadonlyTree, toml: PluginToml, entry: string | undefined): Declared {
  const source = entry === undefined ? '' : textOf(tree, entry);
  return {
    inline: inlineRequirements(source),
    decorator: decoratorRequirements(source),
    requires: toml.requires,
    importsNumpy:
      entry !== undefined && modulesBeside(tree, entry).some((file) => importsPackage(textOf(tree, file), 'numpy')),
  };
}

function entryModuleFile(tree: ReadonlyTree, toml: PluginToml): string | undefined {
  const stem = posix.join(toml.moduleRoot, toml.entryModule.replaceAll('.', '/'));
  return [`${stem}.py`, `${stem}/__init__.py`].find((file) => tree.kind(file) === 'file');
}

function modulesBeside(tree: ReadonlyTree, entry: string): readonly string[] {
  const directory = posix.dirname(entry);
  const names = tree.list(directory === '.' ? '' : directory).filter((name) => name.endsWith('.py'));
  const beside = names.map((name) => posix.join(directory, name)).filter((file) => file !== entry);
  return [entry, ...beside.slice(0, MAX_MODULES_SEARCHED)];
}

function textOf(tree: ReadonlyTree, file: string): string {
  return new TextDecoder().decode(tree.read(file));
}

function about(toml: PluginToml): Pick<PluginSpec, 'description' | 'author' | 'license'> {
  const { description, author, license } = toml;
  return {
    ...(description === undefined ? {} : { description }),
    ...(author === undefined ? {} : { author }),
    ...(license === undefined ? {} : { license }),
  };
}

function manifestOf(toml: PluginToml, declared: Declared): JsonObject {
  return {
    plugin: { name: toml.name, version: toml.version, language: 'python', ...about(toml) },
    python: {
      entry_module: toml.entryModule,
      node_types: toml.nodeTypes,
      requires: toml.requires,
      module_root: toml.moduleRoot,
    },
    found_in_code: {
      python_requires: declared.decorator,
      inline_metadata: declared.inline,
      imports_numpy: declared.importsNumpy,
    },
  };
}

/** The partner of `manifestOf`: a spec may have travelled as JSON in between. */
function declarationsOf(manifest: JsonObject): Declared {
  const python = section(manifest, 'python');
  const found = section(manifest, 'found_in_code');
  return {
    inline: texts(found['inline_metadata']),
    decorator: texts(found['python_requires']),
    requires: texts(python['requires']),
    importsNumpy: found['imports_numpy'] === true,
  };
}

function section(manifest: JsonObject, name: string): Readonly<Record<string, unknown>> {
  const value: unknown = manifest[name];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

interface Known {
  readonly entry: string | undefined;
  /** Whether numpy is asked for only because the code imports it. */
  readonly offersNumpy: boolean;
}

function lists({ inline, decorator, requires }: Declared, line: string): boolean {
  return [...inline, ...decorator, ...requires].includes(line);
}

function findings(tree: ReadonlyTree, toml: PluginToml, known: Known): readonly Finding[] {
  const found: Finding[] = [];
  const warn = (message: string, key: string, hint?: string): void => {
    found.push({ severity: 'warning', message, file: MANIFEST_FILE, key, ...(hint === undefined ? {} : { hint }) });
  };
  if (tree.kind(toml.moduleRoot) !== 'directory') {
    warn(`'python.module_root' is '${toml.moduleRoot}', which is no directory of the plugin`, 'python.module_root');
  } else if (known.entry === undefined) {
    const hint = toml.entryModule.endsWith('.py') ? 'Write the module name without .py' : undefined;
    warn(`There is no module '${toml.entryModule}' in '${toml.moduleRoot}'`, 'python.entry_module', hint);
  }
  if (known.offersNumpy) {
    warn("The code imports 'numpy' and no requirement lists it", 'python.requires', `Add '${NUMPY}' to 'requires'`);
  }
  const repeated = toml.nodeTypes.find((name, index) => toml.nodeTypes.indexOf(name) !== index);
  if (repeated !== undefined) warn(`Node type '${repeated}' is listed twice`, 'python.node_types');
  return found;
}

import { join } from 'node:path';
import { LocateError, ManifestError } from '../../errors.ts';
import type { Finding, PluginSpec, PythonNeeds } from '../../plugin-spec.ts';
import type { PluginFormat, ReadonlyTree } from '../format.ts';
import { conversation, SDK_DIRECTORY } from './conversation.ts';
import { MANIFEST_FILE, manifestJson, parsePackageManifest, type PackageManifest } from './manifest.ts';
import { readRequirements } from './requirements.ts';
import { isTable } from './toml-value.ts';

/** Fidius packages: `package.toml`, functions behind an interface hash, archives with the extension `fid`. */
export const fidius: PluginFormat = {
  name: 'fidius',
  manifestFile: MANIFEST_FILE,
  read,
  conversation,
  archive: {
    extension: 'fid',
    container: 'tar.bz2',
    excludedDirectories: ['target', '.git'],
    signatureFile: 'package.sig',
  },
};

/** Where the original vendors dependencies. */
const VENDOR_DIRECTORY = 'vendor';

function read(files: ReadonlyTree): PluginSpec {
  const path = join(files.directory, MANIFEST_FILE);
  const bytes = files.read(MANIFEST_FILE);
  if (bytes === undefined) {
    throw new ManifestError('MANIFEST_NOT_FOUND', `Directory '${files.directory}' has no '${MANIFEST_FILE}'`, {
      path,
      details: { text: `${MANIFEST_FILE} not found in ${files.directory}` },
    });
  }
  const manifest = parsePackageManifest(bytes, path);
  if (manifest.python === undefined) throw native(manifest, path);
  const hasVendor = files.kind(VENDOR_DIRECTORY) !== 'absent';
  const { python, findings } = pythonNeeds(files, manifest.python.requirements, hasVendor);
  return {
    format: 'fidius',
    directory: files.directory,
    id: manifest.name,
    title: manifest.name,
    version: manifest.version,
    ...description(manifest),
    python,
    secrets: [],
    opening: {
      packageName: manifest.name,
      entryModule: manifest.python.entryModule,
      interfaceName: manifest.interface,
      interfaceVersion: manifest.interfaceVersion,
      hasVendor,
    },
    manifest: manifestJson(manifest),
    findings,
  };
}

/** Rust and WebAssembly packages are described by tools, and refused where they would have to run. */
function native(manifest: PackageManifest, path: string): LocateError {
  const what = manifest.runtime === 'wasm' ? 'a WebAssembly component' : 'compiled Rust code';
  return new LocateError(
    'NATIVE_PLUGIN_UNSUPPORTED',
    `Package '${manifest.name}' has runtime '${manifest.runtime}', expected 'python'`,
    { path, plugin: manifest.name, key: 'package.runtime', hint: `Run ${what} with the original Fidius host` },
  );
}

/** `vendor/`, the package, our SDK, then the base interpreter's own packages (spec 7.2, F20). */
function pythonNeeds(
  files: ReadonlyTree,
  requirementsFile: string,
  hasVendor: boolean,
): { python: PythonNeeds; findings: readonly Finding[] } {
  const { lines, findings } = hasVendor ? { lines: [], findings: [] } : readRequirements(files, requirementsFile);
  return {
    python: {
      requirements: lines,
      importFirst: [join(files.directory, VENDOR_DIRECTORY), files.directory, SDK_DIRECTORY],
      importLast: [],
      seesBaseSitePackages: true,
    },
    findings,
  };
}

function description({ metadata }: PackageManifest): { description?: string } {
  const text = isTable(metadata) ? (metadata['description'] ?? metadata['summary']) : undefined;
  return typeof text === 'string' ? { description: text } : {};
}

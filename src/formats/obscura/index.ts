/** Plugins with a `manifest.yml`: a script that is started afresh for every call and speaks JSON on its streams. */
import { dirname } from 'node:path';

import { ManifestError } from '../../errors.ts';
import type { JsonObject, Operation, OneShotCommand, PluginSpec, SecretField } from '../../plugin-spec.ts';
import type { PluginFormat, ReadonlyTree } from '../format.ts';
import { conversation } from './conversation.ts';
import { manifestFindings, siblingFindings } from './findings.ts';
import { MANIFEST_FILE, parseManifest, type ObscuraManifest, type ParsedManifest } from './manifest.ts';
import { requirementLines } from './requirements.ts';
import { decodeUtf8 } from './yaml.ts';

/** The format of Obscura plugins (E1 of the specification, tolerant of E3). */
export const obscura: PluginFormat = {
  name: 'obscura',
  manifestFile: MANIFEST_FILE,
  read,
  check: (files) => manifestFindings(parsed(files), files),
  conversation,
  archive: {
    extension: 'zip',
    container: 'zip',
    excludedDirectories: ['__pycache__', '.git', '.venv', 'node_modules'],
    signatureFile: 'package.sig',
  },
};

/** The words that are run: `python` alone as the first word is `python3` (spec §1.6). */
export function commandWords(script: readonly string[]): readonly string[] {
  const [first, ...rest] = script;
  return first === 'python' ? ['python3', ...rest] : script;
}

function read(files: ReadonlyTree): PluginSpec {
  return specOf(parsed(files), files);
}

function parsed(files: ReadonlyTree): ParsedManifest {
  const bytes = files.kind(MANIFEST_FILE) === 'file' ? files.read(MANIFEST_FILE) : undefined;
  if (bytes === undefined) {
    throw new ManifestError('MANIFEST_NOT_FOUND', `Cannot read manifest.yml in ${files.directory}`, {
      path: files.directory,
    });
  }
  return parseManifest(bytes, files.directory);
}

/** What a manifest means for a directory. */
export function specOf(parsed: ParsedManifest, files: ReadonlyTree): PluginSpec {
  const { manifest, undeclaredCapabilities } = parsed;
  const command = commandOf(manifest, files.directory);
  return {
    format: 'obscura',
    directory: files.directory,
    id: manifest.id,
    title: manifest.name,
    version: manifest.version,
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
    ...(manifest.author === undefined ? {} : { author: manifest.author }),
    ...(manifest.homepage === undefined ? {} : { homepage: manifest.homepage }),
    operations: declaredOperations(manifest),
    python: {
      requirements: [],
      optionalRequirements: optionalRequirements(files),
      importFirst: [],
      importLast: [],
      seesBaseSitePackages: true,
      siblings: { root: dirname(files.directory), requires: manifest.requires ?? [] },
    },
    ...(command === undefined ? {} : { command }),
    secrets: secretFields(manifest),
    opening: { openOperations: true },
    manifest: { ...manifest, ...undeclared(undeclaredCapabilities) },
    findings: siblingFindings(parsed, files),
  };
}

/** Capabilities are advisory: what is declared is offered, and everything else may be called too (spec §1.3). */
function declaredOperations(manifest: ObscuraManifest): Operation[] {
  return Object.entries(manifest.capabilities)
    .filter(([name, isDeclared]) => isDeclared && name !== 'supportsBatch')
    .map(([name]) => ({ name, kind: 'unary', wireMode: 'typed' }));
}

function commandOf(manifest: ObscuraManifest, directory: string): OneShotCommand | undefined {
  if (manifest.script === undefined || manifest.script.length === 0) return undefined;
  return { words: commandWords(manifest.script), cwd: directory };
}

function secretFields(manifest: ObscuraManifest): SecretField[] {
  const fields = new Map<string, SecretField>();
  for (const { key, label, required, url } of manifest.auth ?? []) {
    if (key === '' || fields.has(key)) continue;
    fields.set(key, { key, label, isRequired: required, ...(url === undefined ? {} : { url }) });
  }
  return [...fields.values()];
}

function optionalRequirements(files: ReadonlyTree): readonly string[] {
  const bytes = files.kind('requirements.txt') === 'file' ? files.read('requirements.txt') : undefined;
  return bytes === undefined ? [] : requirementLines(decodeUtf8(bytes));
}

function undeclared(capabilities: Readonly<Record<string, boolean>>): JsonObject {
  return Object.keys(capabilities).length === 0 ? {} : { undeclaredCapabilities: capabilities };
}

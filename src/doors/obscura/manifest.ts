import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { YAMLException } from 'js-yaml';

import { ManifestError } from '../../errors.ts';
import { coerceManifest, MANIFEST_FILE, parseManifest, type ObscuraManifest } from '../../formats/obscura/manifest.ts';

/** The original's error of the six causes of spec §1.5, with its texts. */
export class ManifestParseError extends Error {
  override name = 'ManifestParseError';
  /** The directory of the plugin. */
  readonly pluginPath: string;
  /** Line of `manifest.yml`, from 1, where it is known. */
  declare readonly line?: number;
  declare readonly column?: number;
  /** Dotted key concerned. */
  declare readonly key?: string;
  declare readonly hint?: string;

  constructor(message: string, pluginPath: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.pluginPath = pluginPath;
    if (!(cause instanceof ManifestError)) return;
    for (const name of ['line', 'column', 'key', 'hint'] as const) {
      if (cause[name] !== undefined) Object.assign(this, { [name]: cause[name] });
    }
  }
}

/**
 * Reads the `manifest.yml` of a directory, afresh at every call.
 *
 * @throws ManifestParseError for the six causes of spec §1.5
 * @throws YAMLException for text that is no YAML, with `reason`, and `line` and `column` from 1 where they are known
 */
export function readManifest(directory: string): ObscuraManifest {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(directory, MANIFEST_FILE));
  } catch (cause) {
    throw new ManifestParseError(`Cannot read manifest.yml in ${directory}`, directory, cause);
  }
  return asOriginal(directory, () => parseManifest(bytes, directory).manifest);
}

/**
 * Coerces a parsed document.
 *
 * @throws ManifestParseError for five of the six causes of spec §1.5
 */
export function validateManifest(document: unknown, directory: string): ObscuraManifest {
  return asOriginal(directory, () => coerceManifest(document, { directory }));
}

function asOriginal<T>(directory: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    if (!(error.cause instanceof YAMLException)) throw new ManifestParseError(error.message, directory, error);
    throw Object.assign(error.cause, { line: error.line, column: error.column });
  }
}

import { describe, expect, it } from 'vitest';

import { commands } from '../src/cli/commands/index.ts';
import { EXIT } from '../src/cli/exit-code.ts';
import * as surface from '../src/index.ts';
import { formats } from '../src/index.ts';

describe('the public surface', () => {
  it('index.ts exports exactly these values', () => {
    expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
      [
        "ArchiveError",
        "CallError",
        "CharmerError",
        "ERROR_CODES",
        "LocateError",
        "ManifestError",
        "PipelineError",
        "PluginError",
        "ProtocolError",
        "ProvisionError",
        "StartError",
        "StoreError",
        "TrustError",
        "check",
        "clientTypes",
        "createHost",
        "digest",
        "doctor",
        "findPython",
        "formats",
        "init",
        "inspect",
        "interfaceHash",
        "keygen",
        "pack",
        "parseBatchItems",
        "pythonStub",
        "sign",
        "unpack",
        "verify",
      ]
    `);
  });

  it('ERROR_CODES holds exactly these codes', () => {
    expect(Object.keys(surface.ERROR_CODES)).toMatchInlineSnapshot(`
      [
        "MANIFEST_NOT_FOUND",
        "MANIFEST_INVALID",
        "FORMAT_UNKNOWN",
        "FORMAT_AMBIGUOUS",
        "INTERFACE_SOURCE_INVALID",
        "REFERENCE_INVALID",
        "PLUGIN_NOT_FOUND",
        "PLUGIN_AMBIGUOUS",
        "DOWNLOAD_FAILED",
        "NATIVE_PLUGIN_UNSUPPORTED",
        "ARCHIVE_INVALID",
        "ARCHIVE_UNSAFE",
        "ARCHIVE_TOO_LARGE",
        "SIGNATURE_MISSING",
        "SIGNATURE_INVALID",
        "KEY_UNTRUSTED",
        "DIGEST_MISMATCH",
        "PYTHON_NOT_FOUND",
        "PYTHON_TOO_OLD",
        "DEPENDENCIES_FAILED",
        "CONFINEMENT_UNAVAILABLE",
        "SPAWN_FAILED",
        "EXITED_BEFORE_READY",
        "READY_TIMEOUT",
        "VERSION_MISMATCH",
        "INTERFACE_MISMATCH",
        "IMPORT_FAILED",
        "CALL_TIMEOUT",
        "PLUGIN_EXITED",
        "OPERATION_UNKNOWN",
        "WIRE_MODE_MISMATCH",
        "ARGUMENT_INVALID",
        "RESULT_INVALID",
        "OUTPUT_TOO_LARGE",
        "OVERLOADED",
        "BREAKER_OPEN",
        "RELOAD_REFUSED",
        "SECRET_MISSING",
        "HOST_CLOSED",
        "PLUGIN_RAISED",
        "FRAME_TOO_LARGE",
        "FRAME_MALFORMED",
        "MESSAGE_UNEXPECTED",
        "PIPELINE_INVALID",
        "GRAPH_CYCLE",
        "NODE_UNKNOWN",
        "PORT_UNKNOWN",
        "NOT_INSTALLED",
        "PLUGIN_DISABLED",
        "LOCK_MISMATCH",
        "SECRET_UNREADABLE",
      ]
    `);
  });

  it('EXIT never changes its meaning', () => {
    expect(EXIT).toEqual({
      ok: 0,
      pluginError: 1,
      usage: 2,
      untrusted: 3,
      cannotStart: 4,
      died: 5,
      timeout: 6,
      interrupted: 130,
    });
  });

  it('the command line has exactly these verbs', () => {
    expect(commands.map((command) => command.name)).toMatchInlineSnapshot(`
      [
        "demo",
        "call",
        "stream",
        "batch",
        "run",
        "inspect",
        "list",
        "check",
        "init",
        "pack",
        "unpack",
        "keygen",
        "sign",
        "verify",
        "digest",
        "stub",
        "hash",
        "types",
        "doctor",
        "serve",
        "python-path",
        "fidius",
      ]
    `);
  });

  it('formats claim directories in this order', () => {
    expect(formats.map(({ name, manifestFile }) => [name, manifestFile])).toEqual([
      ['remotemedia', 'plugin.toml'],
      ['fidius', 'package.toml'],
      ['obscura', 'manifest.yml'],
    ]);
  });

  it('createHost() starts nothing and names the nearest known option', () => {
    expect(() => surface.createHost({ serchPath: [] } as never)).toThrow(
      new TypeError(`Unknown host option 'serchPath'; did you mean 'searchPath'?`),
    );
    expect(surface.createHost().health()).toEqual([]);
  });
});

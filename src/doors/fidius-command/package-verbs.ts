import path from 'node:path';
import { TrustError } from '../../errors.ts';
import { fidius } from '../../formats/fidius/index.ts';
import type { PackageManifest } from '../../formats/fidius/manifest.ts';
import { isTable } from '../../formats/fidius/toml-value.ts';
import { readPublicKey, readSecretKey } from '../../signing/keys.ts';
import { readSignature } from '../../signing/sign-file.ts';
import { signPackage } from '../../signing/sign-package.ts';
import { verifyPackage } from '../../signing/verify-package.ts';
import { packageIoText } from './error-text.ts';
import { findPackage, readManifest } from './manifest-of.ts';
import { joinPath, locateFrom } from './paths.ts';
import { tableLines } from './toml-text.ts';
import { nativeOnly, refuseWithoutCargo } from './native-only.ts';
import { CommandFailure, type Verb } from './verb.ts';

const rules = fidius.archive;
const DIRECTORY = { name: 'DIR', isRequired: true, about: 'Package directory' } as const;

/** `package validate DIR` (spec row F15). */
export const validate: Verb = {
  path: ['package', 'validate'],
  about: 'Check a package manifest',
  options: [],
  positionals: [DIRECTORY],
  run(args, io) {
    const manifest = readManifest(args.text('DIR'), io.cwd);
    const fields = isTable(manifest.metadata) ? Object.keys(manifest.metadata).length : 0;
    io.stdout(
      `Package: ${manifest.name} v${manifest.version}\n` +
        `  Interface: ${manifest.interface} (version ${manifest.interfaceVersion})\n` +
        `  Metadata: ${fields} field(s)\n\nManifest valid.\n`,
    );
  },
};

/** `package inspect DIR` (spec row F15). */
export const inspect: Verb = {
  path: ['package', 'inspect'],
  about: 'Show what a package manifest says',
  options: [],
  positionals: [DIRECTORY],
  run(args, io) {
    const manifest = readManifest(args.text('DIR'), io.cwd);
    const metadata = isTable(manifest.metadata) ? tableLines(manifest.metadata).map((line) => `    ${line}`) : [];
    const lines = [
      `Package: ${args.text('DIR')}`,
      `  Name: ${manifest.name}`,
      `  Version: ${manifest.version}`,
      `  Interface: ${manifest.interface}`,
      `  Interface version: ${manifest.interfaceVersion}`,
      `  Runtime: ${manifest.runtime}`,
      ...runtimeLines(manifest),
      '  Metadata:',
      ...metadata,
    ];
    io.stdout(`${lines.join('\n')}\n`);
  },
};

/** `package sign --key SECRET DIR`: only asks that the manifest exists (spec row F12). */
export const sign: Verb = {
  path: ['package', 'sign'],
  about: 'Sign a package directory',
  options: [{ name: 'key', value: 'KEY', isRequired: true, about: 'Secret key file' }],
  positionals: [DIRECTORY],
  async run(args, io) {
    const { name, directory } = findPackage(args.text('DIR'), io.cwd);
    const secret = readSecretKey(locateFrom(io.cwd, args.text('key')));
    try {
      await signPackage(directory, rules, secret);
    } catch (cause) {
      throw new CommandFailure(packageIoText(cause), { cause });
    }
    io.stdout(`Signed package: ${name} -> ${joinPath(name, rules.signatureFile)}\n`);
  },
};

/** `package verify --key PUBLIC DIR` (spec row F12). */
export const verify: Verb = {
  path: ['package', 'verify'],
  about: 'Verify the signature of a package directory',
  options: [{ name: 'key', value: 'KEY', isRequired: true, about: 'Public key file' }],
  positionals: [DIRECTORY],
  async run(args, io) {
    const { name, directory } = findPackage(args.text('DIR'), io.cwd);
    const key = readPublicKey(locateFrom(io.cwd, args.text('key')));
    refuseUnsigned(name, directory);
    const { state, cause } = await verifyPackage(directory, rules, { trustedKeys: [key] });
    if (state === 'error') throw new CommandFailure(packageIoText(cause), { cause });
    if (state !== 'valid') throw new CommandFailure(`Package signature INVALID: ${name}`);
    io.stdout(`Package signature valid: ${name}\n`);
  },
};

/** `package build DIR`: builds native packages there; a Python package has nothing to build. */
export const build: Verb = {
  path: ['package', 'build'],
  about: 'Build a native package (needs the Rust tools)',
  options: [{ name: 'debug', about: 'Build without optimisation' }],
  positionals: [DIRECTORY],
  run(args, io) {
    const { name, directory } = findPackage(args.text('DIR'), io.cwd);
    refuseWithoutCargo(name, directory);
    throw nativeOnly('package build');
  },
};

function runtimeLines({ python, wasm }: PackageManifest): string[] {
  if (python !== undefined)
    return ['  Python:', `    Entry module: ${python.entryModule}`, `    Requirements: ${python.requirements}`];
  if (wasm === undefined) return [];
  const capabilities = wasm.capabilities.length === 0 ? '(none)' : wasm.capabilities.join(', ');
  return [
    '  WASM:',
    `    Component: ${wasm.component}`,
    `    Precompiled (.cwasm): ${wasm.precompiled ?? '(none — JIT at load)'}`,
    `    Capabilities: ${capabilities}`,
  ];
}

function refuseUnsigned(name: string, directory: string): void {
  try {
    readSignature(path.join(directory, rules.signatureFile));
  } catch (cause) {
    if (!(cause instanceof TrustError) || cause.code !== 'SIGNATURE_MISSING') throw cause;
    throw new CommandFailure(`signature file not found: ${joinPath(name, rules.signatureFile)}`, { cause });
  }
}

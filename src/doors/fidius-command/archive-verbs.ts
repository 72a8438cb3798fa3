import { defaultArchiveName, packPackage } from '../../archive/pack.ts';
import { unpackPackage } from '../../archive/unpack.ts';
import { vendorRequirements } from '../../archive/vendor.ts';
import { fidius } from '../../formats/fidius/index.ts';
import { MANIFEST_FILE, type PackageManifest } from '../../formats/fidius/manifest.ts';
import { findPython } from '../../index.ts';
import { errorText, type Names } from './error-text.ts';
import { readManifest } from './manifest-of.ts';
import { joinPath, locateFrom } from './paths.ts';
import { CommandFailure, type CommandIo, type Verb } from './verb.ts';

/** `package pack DIR` (spec rows F4, F5, F9, F15). */
export const pack: Verb = {
  path: ['package', 'pack'],
  about: 'Pack a package directory into one file',
  options: [
    { name: 'output', value: 'OUTPUT', about: 'Archive file; by default NAME-VERSION.EXTENSION here' },
    { name: 'precompile', about: 'Compile a WebAssembly component ahead of time' },
  ],
  positionals: [{ name: 'DIR', isRequired: true, about: 'Package directory' }],
  async run(args, io) {
    const name = args.text('DIR');
    const manifest = readManifest(name, io.cwd);
    refusePrecompile(manifest, args.optional('precompile') !== undefined);
    const rules = { ...fidius.archive, extension: manifest.extension };
    const output = args.optional('output') ?? defaultArchiveName({ ...manifest, rules });
    const directory = locateFrom(io.cwd, name);
    await naming({ directory: name, output }, async () => {
      await vendor(manifest, name, io);
      if (manifest.wasm !== undefined) io.stderr(componentWarning(manifest.wasm.component));
      const { isSigned, bytes } = await packPackage({
        ...{ directory, rules, name: manifest.name, version: manifest.version, compat: true },
        output: locateFrom(io.cwd, output),
        python: await findPython(),
      });
      if (!isSigned) io.stderr(`warning: package is unsigned (no ${rules.signatureFile} found)\n`);
      io.stdout(`Packed: ${output} (${sizeText(bytes)})\n`);
    });
  },
};

/** `package unpack ARCHIVE --dest DIR` (spec rows F7, F8, F15). */
export const unpack: Verb = {
  path: ['package', 'unpack'],
  about: 'Unpack an archive',
  options: [{ name: 'dest', value: 'DEST', about: 'Directory for the package; by default this one' }],
  positionals: [{ name: 'ARCHIVE', isRequired: true, about: 'Archive file' }],
  async run(args, io) {
    const archive = args.text('ARCHIVE');
    const destination = args.optional('dest') ?? '.';
    await naming({ archive }, async () => {
      const { name } = await unpackPackage({
        archive: locateFrom(io.cwd, archive),
        destination: locateFrom(io.cwd, destination),
        rules: fidius.archive,
        manifestFile: MANIFEST_FILE,
        compat: true,
      });
      io.stdout(`Unpacked: ${joinPath(destination, name)}\n`);
    });
  },
};

/** `N B` below 1 KiB, then one decimal of KB or MB, all of them 1024-based (spec §2.6). */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const unit = bytes < 1024 * 1024 ? 1024 : 1024 * 1024;
  const tenths = roundHalfEven(bytes * 10, unit);
  return `${Math.floor(tenths / 10)}.${tenths % 10} ${unit === 1024 ? 'KB' : 'MB'}`;
}

/** Rust rounds a tie to the even digit, JavaScript's `toFixed` to the larger one. */
function roundHalfEven(dividend: number, divisor: number): number {
  const quotient = Math.floor(dividend / divisor);
  const twice = (dividend % divisor) * 2;
  return twice > divisor || (twice === divisor && quotient % 2 === 1) ? quotient + 1 : quotient;
}

function refusePrecompile({ runtime }: PackageManifest, isAsked: boolean): void {
  if (!isAsked) return;
  throw new CommandFailure(
    runtime === 'wasm'
      ? '--precompile requires the CLI built with --features wasm'
      : '--precompile only applies to wasm packages',
  );
}

async function vendor(manifest: PackageManifest, directory: string, { cwd, env }: CommandIo): Promise<void> {
  if (manifest.runtime !== 'python' || manifest.python === undefined) return;
  const { requirements } = manifest.python;
  await vendorRequirements({ directory, requirements, python: 'python3', env, cwd, compat: true });
}

function componentWarning(component: string): string {
  return `warning: CLI built without wasm support — component \`${component}\` was not validated (rebuild with --features wasm to validate/precompile)\n`;
}

async function naming(names: Names, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    throw new CommandFailure(errorText(cause, names), { cause });
  }
}

import { closeSync, openSync, readSync } from 'node:fs';
import { findPackage } from './manifest-of.ts';
import { nativeOnly, refuseWithoutCargo } from './native-only.ts';
import { locateFrom } from './paths.ts';
import { CommandFailure, type Verb } from './verb.ts';

const SCAFFOLD_OPTIONS = [
  { name: 'path', value: 'PATH', about: 'Directory for the new crate' },
  { name: 'version', value: 'VERSION', about: 'Version of the fidius dependency' },
] as const;
const TRAIT = { name: 'trait', value: 'TRAIT_NAME', isRequired: true, about: 'Name of the trait' } as const;
const INTERFACE = { name: 'interface', value: 'INTERFACE', isRequired: true, about: 'Interface crate' } as const;
const NAME = { name: 'NAME', isRequired: true, about: 'Name of the crate' } as const;

/** Verbs that scaffold Rust crates. */
export const scaffolds: readonly Verb[] = [
  {
    path: ['init-interface'],
    about: 'Scaffold an interface crate (needs the Rust tools)',
    options: [TRAIT, ...SCAFFOLD_OPTIONS, { name: 'extension', value: 'EXTENSION', about: 'Extension of archives' }],
    positionals: [NAME],
    run: () => {
      throw nativeOnly('init-interface');
    },
  },
  ...['init-plugin', 'init-host'].map((name): Verb => ({
    path: [name],
    about: `Scaffold a ${name.slice(5)} crate (needs the Rust tools)`,
    options: [INTERFACE, TRAIT, ...SCAFFOLD_OPTIONS],
    positionals: [NAME],
    run: () => {
      throw nativeOnly(name);
    },
  })),
];

/** `inspect DYLIB`: opening a native library would run its code in this process. */
export const inspectLibrary: Verb = {
  path: ['inspect'],
  about: 'Show what a native library registers',
  options: [],
  positionals: [{ name: 'DYLIB', isRequired: true, about: 'Native library' }],
  run(args, io) {
    const name = args.text('DYLIB');
    if (!isLibrary(locateFrom(io.cwd, name)))
      throw new CommandFailure(`failed to load ${name}: library not found: ${name}`);
    throw nativeOnly('inspect');
  },
};

/** `test DIR`: builds and calls a native plugin. */
export const test: Verb = {
  path: ['test'],
  about: 'Build and call a native plugin (needs the Rust tools)',
  options: [{ name: 'debug', about: 'Build without optimisation' }],
  positionals: [{ name: 'DIR', isRequired: true, about: 'Package directory' }],
  run(args, io) {
    const { name, directory } = findPackage(args.text('DIR'), io.cwd);
    refuseWithoutCargo(name, directory, 'package build failed: ');
    throw nativeOnly('test');
  },
};

/** `wit [DIR]`: for WebAssembly components. */
export const wit: Verb = {
  path: ['wit'],
  about: 'Write the WIT of an interface crate',
  options: [],
  positionals: [{ name: 'DIR', about: 'Interface crate' }],
  run: () => {
    throw nativeOnly('wit');
  },
};

/** First bytes of native libraries: ELF, Mach-O in its four forms, universal Mach-O, Windows. */
const MAGIC = ['7f454c46', 'feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe', '4d5a'];

function isLibrary(file: string): boolean {
  const head = Buffer.alloc(4);
  try {
    const descriptor = openSync(file, 'r');
    try {
      readSync(descriptor, head);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
  return MAGIC.some((magic) => head.toString('hex').startsWith(magic));
}

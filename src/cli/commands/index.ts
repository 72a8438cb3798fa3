import type { Command } from '../command.ts';

/** A verb and where its code is; nothing is loaded before it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** Every verb, in the order of the help text. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'run one plugin of each format end to end',
    load: async () => (await import('./demo.ts')).command,
  },
  {
    name: 'call',
    summary: 'call an operation and print its result',
    load: async () => (await import('./call.ts')).command,
  },
  {
    name: 'stream',
    summary: 'print the items of a streaming operation, one a line',
    load: async () => (await import('./stream.ts')).command,
  },
  {
    name: 'batch',
    summary: 'call an operation for many inputs',
    load: async () => (await import('./batch.ts')).command,
  },
  { name: 'run', summary: 'run a pipeline', load: async () => (await import('./run.ts')).command },
  {
    name: 'inspect',
    summary: 'tell what a plugin is and offers',
    load: async () => (await import('./inspect.ts')).command,
  },
  { name: 'list', summary: 'list the plugins of directories', load: async () => (await import('./list.ts')).command },
  {
    name: 'check',
    summary: 'check a manifest, with file and line for every finding',
    load: async () => (await import('./check.ts')).command,
  },
  {
    name: 'init',
    summary: 'begin a plugin that runs, with a test',
    load: async () => (await import('./init.ts')).command,
  },
  {
    name: 'pack',
    summary: "pack a plugin's directory into one file",
    load: async () => (await import('./pack.ts')).command,
  },
  {
    name: 'unpack',
    summary: 'unpack an archive',
    load: async () => (await import('./unpack.ts')).command,
  },
  {
    name: 'keygen',
    summary: 'make a key pair to sign plugins with',
    load: async () => (await import('./keygen.ts')).command,
  },
  {
    name: 'sign',
    summary: "sign a plugin's directory or a file",
    load: async () => (await import('./sign.ts')).command,
  },
  {
    name: 'verify',
    summary: 'check a signature',
    load: async () => (await import('./verify.ts')).command,
  },
  {
    name: 'digest',
    summary: 'print what a plugin holds, in one number',
    load: async () => (await import('./digest.ts')).command,
  },
  {
    name: 'stub',
    summary: 'write a Python module for a Rust interface',
    load: async () => (await import('./stub.ts')).command,
  },
  {
    name: 'hash',
    summary: 'print the hashes of a Rust interface',
    load: async () => (await import('./hash.ts')).command,
  },
  {
    name: 'types',
    summary: 'write a TypeScript client for a Rust interface',
    load: async () => (await import('./types.ts')).command,
  },
  {
    name: 'doctor',
    summary: 'tell what this machine offers, and what to install',
    load: async () => (await import('./doctor.ts')).command,
  },
  {
    name: 'serve',
    summary: 'serve pipelines to another program, which starts this one',
    load: async () => (await import('./serve.ts')).command,
  },
  {
    name: 'python-path',
    summary: 'print what to put on PYTHONPATH, for plugin authors and for Python programs that run pipelines',
    load: async () => (await import('./python-path.ts')).command,
  },
  {
    name: 'fidius',
    summary: 'the Python side of the Fidius command line, word for word',
    load: async () => (await import('./fidius.ts')).command,
  },
];

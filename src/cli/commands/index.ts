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
];

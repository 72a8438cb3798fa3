import { readFileSync } from 'node:fs';

import { serveStdio } from '../../doors/serve-stdio.ts';
import { hostOptionsFrom } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';

/** `charmer serve --stdio`. */
export const command: Command = {
  name: 'serve',
  summary: 'serve pipelines to another program, which starts this one',
  usage: '',
  options: [
    { flags: '--stdio', description: 'speak over standard input and output, and end with the input' },
    { flags: '--search-path <dir>', description: 'where plugins are found by name', isRepeatable: true },
    { flags: '--python <path>', description: 'interpreter to use' },
    { flags: '--env <name[=value]>', description: 'grant plugins a variable, or pass on your own', isRepeatable: true },
  ],
  examples: ['charmer serve --stdio'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  if (context.options['stdio'] !== true) {
    throw new UsageError('charmer serve needs to know how to be spoken to. Give --stdio.');
  }
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const { signal } = context;
  await serveStdio(context.host(hostOptionsFrom(context)), {
    input: process.stdin,
    output: process.stdout,
    version,
    signal,
  });
  return EXIT.ok;
}

import { formats, init } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';

/** `charmer init NAME --format F`. */
export const command: Command = {
  name: 'init',
  summary: 'begin a plugin that runs, with a test',
  usage: '<name>',
  options: [
    { flags: '--format <name>', description: `one of ${formats.map(({ name }) => name).join(', ')}` },
    { flags: '--in <dir>', description: "directory that gets the plugin's directory; by default this one" },
  ],
  examples: formats.map(({ name }) => `charmer init my-plugin --format ${name}`),
  run,
};

async function run({ args, options, io }: CommandContext): Promise<number> {
  const { format, in: parent } = options;
  if (typeof format !== 'string')
    throw new UsageError(`Give the kind of plugin with --format ${formats.map(({ name }) => name).join('|')}`);
  const result = await init(args[0] ?? '', { format, ...(typeof parent === 'string' && { parent }) });
  if (options['json'] === true) {
    io.out(`${JSON.stringify(result, undefined, 2)}\n`);
    return EXIT.ok;
  }
  io.out(`${result.directory}\n`);
  io.err(`Try it:\n${[`cd ${result.directory}`, ...result.commands].map((line) => `  ${line}\n`).join('')}`);
  return EXIT.ok;
}

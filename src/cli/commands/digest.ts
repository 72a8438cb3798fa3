import { digest } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';

/** `charmer digest PATH`. */
export const command: Command = {
  name: 'digest',
  summary: 'print what a plugin holds, in one number: what signatures sign and trust policies name',
  usage: '<path>',
  options: [{ flags: '--all', description: 'count the files that a signature does not cover, too' }],
  examples: ['charmer digest ./my-greeter', 'charmer digest my-greeter-0.1.0.fid --json'],
  run,
};

async function run({ args, options, io, signal }: CommandContext): Promise<number> {
  const isAll = options['all'] === true;
  const result = await digest(args[0] ?? '', { coverage: isAll ? 'all' : 'original', signal });
  if (!isAll) for (const file of result.uncovered) io.err(`${io.color.yellow('warning')}: '${file}' is not covered\n`);
  io.out(options['json'] === true ? `${JSON.stringify(result, undefined, 2)}\n` : `${result.digest}\n`);
  return EXIT.ok;
}

import { sign } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';

/** `charmer sign PATH`. */
export const command: Command = {
  name: 'sign',
  summary: "sign a plugin's directory, or any other file",
  usage: '<path>',
  options: [{ flags: '--key <file>', description: 'secret key, made by charmer keygen' }],
  examples: ['charmer sign ./my-greeter --key ~/keys/alice.secret'],
  run,
};

async function run({ args, options, io, signal }: CommandContext): Promise<number> {
  const { key } = options;
  if (typeof key !== 'string') throw new UsageError('Give the secret key with --key alice.secret');
  const result = await sign(args[0] ?? '', { key, signal });
  for (const file of result.uncovered)
    io.err(`${io.color.yellow('warning')}: '${file}' is not covered by the signature\n`);
  io.out(options['json'] === true ? `${JSON.stringify(result, undefined, 2)}\n` : `${result.signatureFile}\n`);
  return EXIT.ok;
}

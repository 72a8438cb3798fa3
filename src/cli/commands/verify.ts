import { verify } from '../../index.ts';
import { coverageFrom, list } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';

/** `charmer verify PATH`. */
export const command: Command = {
  name: 'verify',
  summary: "check the signature of a plugin's directory, of an archive, or of a file signed by itself",
  usage: '<path>',
  options: [
    { flags: '--key <file>', description: 'public key to trust', isRepeatable: true },
    { flags: '--covered <what>', description: "'all' refuses files that the signature does not cover" },
  ],
  examples: [
    'charmer verify ./my-greeter --key alice.public',
    'charmer verify my-greeter-0.1.0.fid --key alice.public',
  ],
  run,
};

async function run({ args, options, io, signal }: CommandContext): Promise<number> {
  const { cause: _, ...result } = await verify(args[0] ?? '', {
    keys: list(options['key']),
    covered: coverageFrom(options['covered']),
    signal,
  });
  for (const file of result.uncovered)
    io.err(`${io.color.yellow('warning')}: '${file}' is not covered by the signature\n`);
  io.out(
    options['json'] === true ? `${JSON.stringify(result, undefined, 2)}\n` : `${result.state}: ${result.message}\n`,
  );
  return result.state === 'valid' ? EXIT.ok : EXIT.untrusted;
}

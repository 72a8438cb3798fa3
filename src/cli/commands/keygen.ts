import { keygen } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';

/** `charmer keygen BASE`. */
export const command: Command = {
  name: 'keygen',
  summary: 'make a key pair to sign plugins with: BASE.secret and BASE.public',
  usage: '<base>',
  options: [{ flags: '--compat', description: 'overwrite in silence, as the original does' }],
  examples: ['charmer keygen ~/keys/alice'],
  run,
};

async function run({ args, options, io }: CommandContext): Promise<number> {
  const result = await keygen(args[0] ?? '', { compat: options['compat'] === true });
  if (options['json'] === true) io.out(`${JSON.stringify(result, undefined, 2)}\n`);
  else {
    io.out(`${result.public}\n`);
    io.err(`Keep ${result.secret} to yourself; give ${result.public} to those who shall trust you.\n`);
  }
  return EXIT.ok;
}

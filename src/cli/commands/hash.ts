import { interfaceHash } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { renderTable } from '../io.ts';
import { interfaceOptions, readInterface } from '../interface-input.ts';

/** `charmer hash --interface lib.rs`. */
export const command: Command = {
  name: 'hash',
  summary: 'print the hashes of a Rust interface: A, which hosts expect, and B, which the original stub tool prints',
  usage: '',
  options: [...interfaceOptions, { flags: '--canonical', description: 'show the texts that are hashed, too' }],
  examples: ['charmer hash --interface lib.rs', 'charmer hash --interface lib.rs --trait Greeter --canonical'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { io, options } = context;
  const { source, ...rest } = await readInterface(context);
  const result = await interfaceHash(source, rest);
  const { trait, a, b, refusals } = result;
  for (const refusal of refusals)
    io.err(`${io.color.yellow('warning')}: no host can be compiled with '${trait}': ${refusal}\n`);
  if (options['json'] === true) {
    io.out(`${JSON.stringify(result, undefined, 2)}\n`);
    return EXIT.ok;
  }
  io.out(
    renderTable([
      ['A', a.hash, 'what hosts expect'],
      ['B', b.hash, 'what the original stub tool prints'],
    ]),
  );
  if (options['canonical'] === true) io.out(`\nA:\n${a.canonical}\n\nB:\n${b.canonical}\n`);
  return EXIT.ok;
}

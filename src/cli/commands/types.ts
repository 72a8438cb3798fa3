import { clientTypes } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { interfaceOptions, outOption, readInterface, writeOut } from '../interface-input.ts';

/** `charmer types --interface lib.rs`. */
export const command: Command = {
  name: 'types',
  summary: 'write a TypeScript module for a Rust interface: its descriptor, its types, a typed client',
  usage: '',
  options: [...interfaceOptions, outOption],
  examples: ['charmer types --interface lib.rs --out greeter.ts'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { source, ...options } = await readInterface(context);
  const types = await clientTypes(source, options);
  if (context.options['json'] === true) context.io.out(`${JSON.stringify(types, undefined, 2)}\n`);
  else writeOut(context, types.text);
  return EXIT.ok;
}

import { pythonStub } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { interfaceOptions, outOption, readInterface, writeOut } from '../interface-input.ts';

/** `charmer stub --interface lib.rs`. */
export const command: Command = {
  name: 'stub',
  summary: 'write a Python module with one function per method of a Rust interface',
  usage: '',
  options: [
    ...interfaceOptions,
    outOption,
    { flags: '--compat', description: "the original stub tool's hash, argument order and hints" },
  ],
  examples: ['charmer stub --interface lib.rs --out greeter.py', 'charmer stub --interface lib.rs --trait Greeter'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { source, ...options } = await readInterface(context);
  const stub = await pythonStub(source, { ...options, compat: context.options['compat'] === true });
  if (context.options['json'] === true) context.io.out(`${JSON.stringify(stub, undefined, 2)}\n`);
  else writeOut(context, stub.text);
  return EXIT.ok;
}

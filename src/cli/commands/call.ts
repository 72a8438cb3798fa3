import { callOptions, loadFrom, readArguments } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { renderValue } from '../render-value.ts';

/** `charmer call REF OPERATION [ARG…]`. */
export const command: Command = {
  name: 'call',
  summary: 'call an operation and print its result as JSON',
  usage: '<ref> <operation> [arg...]',
  options: callOptions,
  examples: [
    'charmer call ./my-greeter greet World',
    `charmer call ./film-lookup movieByName '{"title":"Blade Runner"}' --auth TMDB_API_KEY=…`,
    'charmer call ./byte-pipe reverse --raw --input photo.jpg > reversed.jpg',
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const [reference = '', operation = '', ...words] = context.args;
  const args = await readArguments(context, words);
  const plugin = await loadFrom(context, reference);
  const result = await plugin.call(operation, ...args);
  if (result instanceof Uint8Array && context.options['raw'] === true) process.stdout.write(result);
  else context.io.out(`${renderValue(result)}\n`);
  return EXIT.ok;
}

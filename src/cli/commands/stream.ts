import { callOptions, loadFrom, readArguments } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { renderValue } from '../render-value.ts';

/** `charmer stream REF OPERATION [ARG…]`. */
export const command: Command = {
  name: 'stream',
  summary: 'print the items of a streaming operation, one JSON value a line',
  usage: '<ref> <operation> [arg...]',
  options: callOptions,
  examples: ['charmer stream ./ticker tick 5'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const [reference = '', operation = '', ...words] = context.args;
  const args = await readArguments(context, words);
  const plugin = await loadFrom(context, reference);
  for await (const item of plugin.stream(operation, ...args)) context.io.out(`${renderValue(item)}\n`);
  return EXIT.ok;
}

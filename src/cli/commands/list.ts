import { resolve } from 'node:path';

import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { renderTable } from '../io.ts';

/** `charmer list [DIR…]`. */
export const command: Command = {
  name: 'list',
  summary: 'list the plugins of directories, broken ones with their reason',
  usage: '[dir...]',
  options: [],
  examples: ['charmer list ./plugins', 'charmer list --json'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io } = context;
  const directories = (args.length > 0 ? args : ['.']).map((path) => resolve(path));
  const found = await context.host().discover(directories);
  if (options['json'] === true) {
    io.out(`${JSON.stringify(found, undefined, 2)}\n`);
    return EXIT.ok;
  }
  const rows = found.map((each) =>
    each.status === 'ok'
      ? [each.id ?? '', each.version ?? '', each.format, each.directory]
      : [
          io.color.red('broken'),
          each.error?.code ?? '',
          each.format,
          `${each.directory}: ${each.error?.message ?? ''}`,
        ],
  );
  io.out(rows.length === 0 ? 'no plugins\n' : renderTable([['plugin', 'version', 'format', 'directory'], ...rows]));
  return EXIT.ok;
}

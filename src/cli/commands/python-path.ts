import { delimiter } from 'node:path';

import { pythonDirectories } from '../../doors/python-path.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';

/** `charmer python-path`. */
export const command: Command = {
  name: 'python-path',
  summary: 'print what to put on PYTHONPATH, for plugin authors and for Python programs that run pipelines',
  usage: '',
  options: [],
  examples: ['export PYTHONPATH="$(charmer python-path)"', 'charmer python-path --json'],
  run,
};

async function run({ io, options }: CommandContext): Promise<number> {
  const directories = pythonDirectories();
  io.out(options['json'] === true ? `${JSON.stringify(directories)}\n` : `${directories.join(delimiter)}\n`);
  return EXIT.ok;
}

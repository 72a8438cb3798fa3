import { runFidiusCommand } from '../../doors/fidius-command.ts';
import type { Command, CommandContext } from '../command.ts';

/** `charmer fidius …`: the words go through as they are, and so do the lines and the exit code. */
export const command: Command = {
  name: 'fidius',
  summary: 'the Python side of the Fidius command line: the same words, the same lines, the same exit codes',
  usage: '[word...]',
  options: [],
  examples: ['charmer fidius package pack ./greeter', 'charmer fidius package verify --key alice.public ./greeter'],
  takesWordsAsTheyAre: true,
  run,
};

async function run({ args, io }: CommandContext): Promise<number> {
  return runFidiusCommand(args, { cwd: process.cwd(), env: process.env, stdout: io.out, stderr: io.err });
}

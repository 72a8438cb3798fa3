import { readFileSync } from 'node:fs';

import { Command as Commander, CommanderError } from 'commander';

import { createHost, type Host } from '../index.ts';
import { didYouMean } from '../nearest-name.ts';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands/index.ts';
import { EXIT, exitCodeFor, UsageError } from './exit-code.ts';
import { errorToJson, processIo, renderError, type Io } from './io.ts';

/** Options that every command has. */
const JSON_FLAG = '--json';

/** Runs one command line and gives its exit code. Nothing is loaded but the verb that was asked for. */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help')
    return help(io, verb === undefined ? EXIT.usage : EXIT.ok);
  if (verb === '--version' || verb === '-V') {
    io.out(`${version()}\n`);
    return EXIT.ok;
  }
  const entry = commands.find((command) => command.name === verb);
  if (entry === undefined) {
    const known = commands.map((command) => command.name);
    io.err(
      `${io.color.red('error')}: There is no command '${verb}'. ${didYouMean(verb, known) ?? 'See charmer --help.'}\n`,
    );
    return EXIT.usage;
  }
  return runCommand(await entry.load(), rest, io);
}

async function runCommand(command: Command, argv: readonly string[], io: Io): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort(new DOMException('Interrupted', 'AbortError'));
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt);
  const hosts: Host[] = [];
  try {
    const parsed = parse(command, argv, io);
    if (parsed === undefined) return EXIT.ok;
    const context: CommandContext = {
      ...parsed,
      io,
      signal: interrupt.signal,
      host: (options) => {
        const host = createHost(options);
        hosts.push(host);
        return host;
      },
    };
    return await command.run(context);
  } catch (error) {
    if (interrupt.signal.aborted) return EXIT.interrupted;
    if (argv.includes(JSON_FLAG)) io.err(`${JSON.stringify({ error: errorToJson(error) })}\n`);
    else io.err(renderError(error, io));
    return exitCodeFor(error);
  } finally {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt);
    await Promise.all(hosts.map((host) => host.close()));
  }
}

/** Undefined when only help was asked for. */
function parse(
  command: Command,
  argv: readonly string[],
  io: Io,
): Pick<CommandContext, 'args' | 'options'> | undefined {
  if (command.takesWordsAsTheyAre === true) return { args: argv, options: {} };
  const commander = new Commander(`charmer ${command.name}`)
    .description(command.summary)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: () => undefined });
  for (const argument of command.usage.split(' ').filter((word) => word !== '')) commander.argument(argument);
  for (const { flags, description, isRepeatable } of command.options) {
    if (isRepeatable === true)
      commander.option(flags, description, (value: string, all: string[]) => [...all, value], []);
    else commander.option(flags, description);
  }
  commander.option(JSON_FLAG, 'write results and errors as JSON');
  commander.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  try {
    commander.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(`${error.message.replace(/^error: /, '')}. See charmer ${command.name} --help.`);
  }
  return {
    args: commander.processedArgs.flat().filter((word): word is string => typeof word === 'string'),
    options: commander.opts(),
  };
}

function help(io: Io, code: number): number {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  const text = `charmer ${version()}: Python plugins for TypeScript hosts\n\nUsage: charmer <command> [arguments]\n\n${lines.join('\n')}\n\ncharmer <command> --help tells more about one.\n`;
  if (code === EXIT.ok) io.out(text);
  else io.err(text);
  return code;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

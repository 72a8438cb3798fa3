import type { Host, HostOptions } from '../index.ts';
import type { Io } from './io.ts';

/** One option of a command. */
export interface CommandOption {
  /** As commander writes it: `--timeout <ms>`. */
  readonly flags: string;
  readonly description: string;
  /** May be given more than once; its value is then a list. @default false */
  readonly isRepeatable?: boolean;
}

/** What a command is given when it runs. */
export interface CommandContext {
  /** Positional arguments. */
  readonly args: readonly string[];
  /** Values of the options by their camel-case names. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly io: Io;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** A host for this command, closed when the command ends. */
  host(options?: HostOptions): Host;
}

/** One verb of the command line, as data. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Positional arguments as commander writes them: `<ref> <operation> [arg...]`. */
  readonly usage: string;
  readonly options: readonly CommandOption[];
  /** Lines that a reader can paste. */
  readonly examples: readonly string[];
  /** Every word after the verb is an argument, options and `--help` included. @default false */
  readonly takesWordsAsTheyAre?: boolean;
  /** Gives the exit code. */
  run(context: CommandContext): Promise<number>;
}

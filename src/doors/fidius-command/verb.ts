import type { VerbRule } from './command-line.ts';

/** What a verb sees of the world. */
export interface CommandIo {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** A verb's arguments by name; what the table requires is there. */
export interface VerbArguments {
  /** The value, or `''` where the table does not require one. */
  text(name: string): string;
  optional(name: string): string | undefined;
}

/** A verb: its place in the argument table and what it does. Throws a `CommandFailure` or a coded error. */
export interface Verb extends VerbRule {
  run(args: VerbArguments, io: CommandIo): Promise<void> | void;
}

/** A failure with the exact text that follows `error: `. */
export class CommandFailure extends Error {
  override name = 'CommandFailure';
}

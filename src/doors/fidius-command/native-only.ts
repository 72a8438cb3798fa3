import { existsSync } from 'node:fs';
import path from 'node:path';
import { CommandFailure } from './verb.ts';

/** What a verb for compiled plugins says here. */
export function nativeOnly(verb: string): CommandFailure {
  return new CommandFailure(`'fidius ${verb}' is for native plugins only; run it with the original Fidius command`);
}

/** The original's first complaint about a package that is no Rust crate. */
export function refuseWithoutCargo(name: string, directory: string, before = ''): void {
  if (!existsSync(path.join(directory, 'Cargo.toml')))
    throw new CommandFailure(`${before}Cargo.toml not found in ${name}`);
}

import { pack, unpack } from './archive-verbs.ts';
import { keygen, sign, verify } from './key-verbs.ts';
import { inspectLibrary, scaffolds, test, wit } from './native-verbs.ts';
import * as packages from './package-verbs.ts';
import { stub } from './stub-verb.ts';
import type { Verb } from './verb.ts';

/** Every verb of the drop-in command, in the order of its help. */
export const verbs: readonly Verb[] = [
  ...scaffolds,
  keygen,
  sign,
  verify,
  inspectLibrary,
  packages.validate,
  packages.build,
  packages.inspect,
  packages.sign,
  packages.verify,
  pack,
  unpack,
  test,
  stub,
  wit,
];

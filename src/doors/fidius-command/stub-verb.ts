import { readFileSync, writeFileSync } from 'node:fs';
import { pythonStub } from '../../formats/fidius/python-stub.ts';
import { locateFrom } from './paths.ts';
import type { Verb } from './verb.ts';

/** `python-stub --interface SRC.rs --out FILE` (spec rows F17, F18). */
export const stub: Verb = {
  path: ['python-stub'],
  about: 'Write a Python module for a Rust interface',
  options: [
    { name: 'interface', value: 'INTERFACE', isRequired: true, about: 'Rust source with the interface' },
    { name: 'out', value: 'OUT', isRequired: true, about: 'File to write, or - for standard output' },
    { name: 'trait-name', value: 'TRAIT_NAME', about: 'Which interface, when there are several' },
  ],
  positionals: [],
  async run(args, io) {
    const source = args.text('interface');
    const text = readFileSync(locateFrom(io.cwd, source), 'utf8');
    const trait = args.optional('trait-name');
    const written = await pythonStub(text, { path: source, trait, compat: true });
    const out = args.text('out');
    if (out === '-') {
      io.stdout(written.text);
      return;
    }
    writeFileSync(locateFrom(io.cwd, out), written.text);
    io.stdout(`Wrote Python stub for trait to ${out} (${Buffer.byteLength(written.text)} bytes)\n`);
  },
};

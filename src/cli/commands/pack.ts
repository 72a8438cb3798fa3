import { pack } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { tellFindings } from '../findings.ts';
import { progressLine } from '../progress.ts';

/** `charmer pack DIR`. */
export const command: Command = {
  name: 'pack',
  summary: "pack a plugin's directory into one file, its requirements included where its format wants that",
  usage: '<dir>',
  options: [
    { flags: '--output <file>', description: 'the archive; by default NAME-VERSION.EXTENSION here' },
    { flags: '--compat', description: 'pack exactly what the original packs' },
    { flags: '--no-vendor', description: 'install no requirements into the package' },
    { flags: '--refresh', description: 'install the requirements again when they have changed' },
    { flags: '--allow-builds', description: 'take source distributions, whose installation runs their code' },
    { flags: '--require-hashes', description: 'take only requirements with a hash' },
    { flags: '--uv <path>', description: 'install with this uv' },
    { flags: '--python <path>', description: 'interpreter to use' },
  ],
  examples: ['charmer pack ./my-greeter', 'charmer pack ./my-greeter --output greeter.fid --json'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io, signal } = context;
  const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
  const progress = progressLine(context);
  const result = await pack(args[0] ?? '', {
    output: text('output'),
    compat: options['compat'] === true,
    vendor: options['vendor'] !== false,
    refresh: options['refresh'] === true,
    allowBuilds: options['allowBuilds'] === true,
    requireHashes: options['requireHashes'] === true,
    uv: text('uv'),
    python: text('python'),
    onProgress: progress.onProgress,
    signal,
  }).finally(() => progress.end());
  tellFindings(result.findings, io);
  if (options['json'] === true) {
    io.out(`${JSON.stringify(result, undefined, 2)}\n`);
    return EXIT.ok;
  }
  const { vendored, leftOut, isSigned, archive, bytes, files } = result;
  if (vendored.command !== undefined) io.err(`installed: ${vendored.command.join(' ')}\n`);
  if (leftOut.length > 0) io.err(`left out: ${leftOut.join(', ')}\n`);
  if (!isSigned) io.err(`${io.color.yellow('warning')}: the package is not signed; charmer sign does it\n`);
  io.out(`${archive}\n`);
  io.err(`${files.length} files, ${bytes} bytes\n`);
  return EXIT.ok;
}

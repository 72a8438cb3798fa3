import { unpack } from '../../index.ts';
import { parseNumber } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { tellFindings } from '../findings.ts';
import { progressLine } from '../progress.ts';

/** `charmer unpack ARCHIVE`. */
export const command: Command = {
  name: 'unpack',
  summary: 'unpack an archive: everything is checked before anything is written',
  usage: '<archive>',
  options: [
    { flags: '--dest <dir>', description: "directory for the package's directory; by default this one" },
    { flags: '--compat', description: "the original's verdicts and limits" },
    { flags: '--strict', description: 'refuse whatever is odd' },
    { flags: '--sha256 <hex>', description: 'refuse any other archive' },
    { flags: '--max-bytes <n>', description: 'most bytes of all files together' },
    { flags: '--max-entries <n>', description: 'most files' },
    { flags: '--max-ratio <n>', description: 'most bytes per byte of the archive; 0: no such limit' },
  ],
  examples: ['charmer unpack my-greeter-0.1.0.fid', 'charmer unpack big.fid --dest plugins --max-ratio 0'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io, signal } = context;
  const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
  const limit = (name: string, key: string): Record<string, number> => {
    const value = text(name);
    return value === undefined ? {} : { [key]: parseNumber(value, `--${name}`) };
  };
  const limits = {
    ...limit('maxBytes', 'maxBytes'),
    ...limit('maxEntries', 'maxEntries'),
    ...limit('maxRatio', 'maxRatio'),
  };
  const progress = progressLine(context);
  const result = await unpack(args[0] ?? '', {
    destination: text('dest'),
    compat: options['compat'] === true,
    strict: options['strict'] === true,
    sha256: text('sha256'),
    limits,
    onProgress: progress.onProgress,
    signal,
  }).finally(() => progress.end());
  tellFindings(result.findings, io);
  io.out(options['json'] === true ? `${JSON.stringify(result, undefined, 2)}\n` : `${result.directory}\n`);
  return EXIT.ok;
}

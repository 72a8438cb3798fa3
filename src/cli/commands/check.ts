import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { check } from '../../index.ts';

/** `charmer check REF`. */
export const command: Command = {
  name: 'check',
  summary: 'check a manifest: file, line and key for every finding',
  usage: '<ref>',
  options: [{ flags: '--strict', description: 'warnings count as errors' }],
  examples: ['charmer check ./film-lookup --strict'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io } = context;
  const findings = await check(args[0] ?? '', { signal: context.signal });
  const isBad = findings.some((finding) => finding.severity === 'error' || options['strict'] === true);
  if (options['json'] === true) io.out(`${JSON.stringify(findings, undefined, 2)}\n`);
  else if (findings.length === 0) io.out('no findings\n');
  else {
    for (const { severity, message, file, line, column, key, hint } of findings) {
      const place = [file, line, column].filter((part) => part !== undefined).join(':');
      const label = severity === 'error' ? io.color.red(severity) : io.color.yellow(severity);
      io.out(
        `${place}: ${label}: ${message}${key === undefined ? '' : ` (${key})`}${hint === undefined ? '' : `. ${hint}`}\n`,
      );
    }
  }
  return isBad ? EXIT.cannotStart : EXIT.ok;
}

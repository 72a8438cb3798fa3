import { hostOptionsFrom } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { doctor } from '../../index.ts';

/** `charmer doctor`. */
export const command: Command = {
  name: 'doctor',
  summary: 'tell what this machine offers, and the one command that mends each lack',
  usage: '',
  options: [{ flags: '--python <path>', description: 'interpreter to use' }],
  examples: ['charmer doctor', 'charmer doctor --json'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { io, options } = context;
  const findings = await doctor(hostOptionsFrom(context));
  if (options['json'] === true) {
    io.out(`${JSON.stringify(findings, undefined, 2)}\n`);
    return findings.some((finding) => finding.status === 'missing') ? EXIT.cannotStart : EXIT.ok;
  }
  for (const { name, status, detail, fix } of findings) {
    const mark = { ok: io.color.green('ok'), limited: io.color.yellow('limited'), missing: io.color.red('missing') }[
      status
    ];
    io.out(`${mark}  ${name}: ${detail}\n${fix === undefined ? '' : `      ${fix}\n`}`);
  }
  return findings.some((finding) => finding.status === 'missing') ? EXIT.cannotStart : EXIT.ok;
}

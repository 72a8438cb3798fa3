import { hostOptionsFrom } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { renderTable } from '../io.ts';

/** `charmer inspect REF`. */
export const command: Command = {
  name: 'inspect',
  summary: 'tell what a plugin is, what it offers and what it asks for',
  usage: '<ref>',
  options: [
    { flags: '--search-path <dir>', description: 'where plugins are found by name', isRepeatable: true },
    { flags: '--python <path>', description: 'interpreter to use' },
    { flags: '--manifest-only', description: 'do not start the plugin, even if only its code knows its operations' },
  ],
  examples: ['charmer inspect ./my-greeter', 'charmer inspect ./my-greeter --json'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io, signal } = context;
  const host = context.host(hostOptionsFrom(context));
  const start = options['manifestOnly'] === true ? 'lazy' : 'now';
  const plugin = await host.load(args[0] ?? '', { start, signal });
  const { spec, provenance, operations } = plugin;
  if (options['json'] === true) {
    io.out(`${JSON.stringify({ spec, provenance, operations: operations ?? null }, undefined, 2)}\n`);
    return EXIT.ok;
  }
  const facts: [string, string | undefined][] = [
    ['plugin', spec.id],
    ['title', spec.title === spec.id ? undefined : spec.title],
    ['version', spec.version],
    ['format', spec.format],
    ['directory', spec.directory],
    ['signature', provenance.signature],
    ['description', spec.description],
    ['requires', spec.python.requirements.join(', ') || 'nothing to install'],
    [
      'secrets',
      spec.secrets.map((secret) => secret.key + (secret.isRequired ? '' : ' (optional)')).join(', ') || undefined,
    ],
  ];
  io.out(
    renderTable(
      facts.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => [name, value ?? '']),
    ),
  );
  const rows = (operations ?? []).map(({ name, kind, wireMode, parameters }) => [
    `  ${name}(${parameters?.join(', ') ?? '…'})`,
    kind,
    wireMode === 'raw' ? 'raw' : '',
  ]);
  io.out(rows.length === 0 ? 'operations: known when it has started\n' : `operations\n${renderTable(rows)}`);
  for (const finding of spec.findings) io.out(`${finding.severity}: ${finding.message}\n`);
  return EXIT.ok;
}

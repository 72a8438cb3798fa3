import { inspect, type Inspection, type Operation } from '../../index.ts';
import { coverageFrom, hostOptionsFrom, list } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { tellFindings } from '../findings.ts';
import { renderTable, type Io } from '../io.ts';

/** `charmer inspect REF`. */
export const command: Command = {
  name: 'inspect',
  summary: 'tell what a plugin is, who signed it, what it offers and what it asks for',
  usage: '<ref>',
  options: [
    { flags: '--search-path <dir>', description: 'where plugins are found by name', isRepeatable: true },
    { flags: '--key <file>', description: 'public key to check the signature with', isRepeatable: true },
    { flags: '--covered <what>', description: "'all': a signature is good only if it covers every file" },
    { flags: '--python <path>', description: 'interpreter to use' },
    { flags: '--manifest-only', description: 'do not start the plugin, even if only its code knows its operations' },
  ],
  examples: ['charmer inspect ./my-greeter', 'charmer inspect my-greeter-0.1.0.fid --key alice.public --json'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io, signal } = context;
  const reference = args[0] ?? '';
  const hostOptions = hostOptionsFrom({ ...context, options: { ...options, covered: undefined } });
  const found = await inspect(reference, {
    ...(hostOptions.searchPath && { searchPath: hostOptions.searchPath }),
    keys: list(options['key']),
    covered: coverageFrom(options['covered']),
    signal,
  });
  let operations = found.spec.operations;
  if (operations === undefined && options['manifestOnly'] !== true) {
    const plugin = await context.host(hostOptions).load(reference, { signal });
    operations = plugin.operations;
  }
  if (options['json'] === true) {
    const { cause: _, ...signature } = found.signature;
    io.out(`${JSON.stringify({ ...found, signature, operations: operations ?? null }, undefined, 2)}\n`);
  } else tell(found, operations, io);
  return EXIT.ok;
}

function tell(
  { spec, format, source, signature }: Inspection,
  operations: readonly Operation[] | undefined,
  io: Io,
): void {
  const { state, key, digest, uncovered } = signature;
  const secrets = spec.secrets.map((secret) => secret.key + (secret.isRequired ? '' : ' (optional)'));
  const facts: [string, string | undefined][] = [
    ['plugin', spec.id],
    ['title', spec.title === spec.id ? undefined : spec.title],
    ['version', spec.version],
    ['format', format],
    [source === 'archive' ? 'unpacked at' : 'directory', spec.directory],
    ['signature', state],
    ['signed by', key],
    ['not covered', uncovered.join(', ')],
    ['digest', digest],
    ['description', spec.description],
    ['requires', spec.python.requirements.join(', ') || 'nothing to install'],
    ['secrets', secrets.join(', ')],
  ];
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
  io.out(renderTable(known));
  const rows = (operations ?? []).map(({ name, kind, wireMode, parameters }) => [
    `  ${name}(${parameters?.join(', ') ?? '…'})`,
    kind,
    wireMode === 'raw' ? 'raw' : '',
  ]);
  io.out(rows.length === 0 ? 'operations: known when it has started\n' : `operations\n${renderTable(rows)}`);
  tellFindings(spec.findings, io);
}

import { isPrefix, spellOption, spellPositional, type VerbRule } from './command-line.ts';

/** Name of the program in usage lines. */
const PROGRAM = 'fidius';

/** What a group of verbs is about: the first line of its help is the original's. */
const ABOUT_GROUP: ReadonlyMap<string, string> = new Map([
  ['', 'Fidius plugin framework CLI'],
  ['package', 'Package management commands'],
]);

/** The help of a verb or of a group of verbs. */
export function helpText(path: readonly string[], verbs: readonly VerbRule[]): string {
  const verb = verbs.find((candidate) => candidate.path.length === path.length && isPrefix(path, candidate.path));
  return verb === undefined ? groupHelp(path, verbs) : verbHelp(verb);
}

/** What follows the message about wrong usage. */
export function usageText(path: readonly string[], verbs: readonly VerbRule[]): string {
  return `\nUsage: ${usageLine(path, verbs)}\n\nFor more information, try '--help'.\n`;
}

function usageLine(path: readonly string[], verbs: readonly VerbRule[]): string {
  const verb = verbs.find((candidate) => candidate.path.length === path.length && isPrefix(path, candidate.path));
  const words = [PROGRAM, ...path];
  if (verb === undefined) return [...words, '<COMMAND>'].join(' ');
  const required = verb.options.filter((option) => option.isRequired === true).map(spellOption);
  const isOptional = verb.options.some((option) => option.isRequired !== true);
  return [...words, ...(isOptional ? ['[OPTIONS]'] : []), ...required, ...verb.positionals.map(spellPositional)].join(
    ' ',
  );
}

function groupHelp(path: readonly string[], verbs: readonly VerbRule[]): string {
  const inside = verbs.filter((verb) => isPrefix(path, verb.path));
  const rows = new Map(inside.map((verb) => [verb.path[path.length] ?? '', verb.about]));
  for (const [group, about] of ABOUT_GROUP) if (path.length === 0 && rows.has(group)) rows.set(group, about);
  rows.set('help', 'Print this message or the help of the given subcommand(s)');
  const options: [string, string][] = [['-h, --help', 'Print help']];
  if (path.length === 0) options.push(['-V, --version', 'Print version']);
  return [
    ABOUT_GROUP.get(path.join(' ')) ?? '',
    `\nUsage: ${usageLine(path, verbs)}\n\nCommands:`,
    table([...rows]),
    `\nOptions:`,
    `${table(options)}\n`,
  ].join('\n');
}

function verbHelp(verb: VerbRule): string {
  const positionals = verb.positionals.map((rule): [string, string] => [spellPositional(rule), rule.about]);
  const options = verb.options.map((rule): [string, string] => [spellOption(rule), rule.about]);
  return [
    verb.about,
    `\nUsage: ${usageLine(verb.path, [verb])}`,
    ...(positionals.length > 0 ? ['\nArguments:', table(positionals)] : []),
    '\nOptions:',
    `${table([...options, ['-h, --help', 'Print help']])}\n`,
  ].join('\n');
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`).join('\n');
}

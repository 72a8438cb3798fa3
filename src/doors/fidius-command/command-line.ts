/** The argument parser of the drop-in command: a table of verbs, and the original parser's first lines for wrong usage. */

/** An option with a value, or a flag. */
export interface OptionRule {
  /** Without dashes. */
  readonly name: string;
  /** Name of the value in usage lines; absent for a flag. */
  readonly value?: string;
  readonly isRequired?: boolean;
  readonly about: string;
}

/** A word without dashes. */
export interface PositionalRule {
  readonly name: string;
  readonly isRequired?: boolean;
  readonly about: string;
}

/** A verb and what it takes. */
export interface VerbRule {
  /** Words after the program's name. */
  readonly path: readonly string[];
  readonly about: string;
  readonly options: readonly OptionRule[];
  readonly positionals: readonly PositionalRule[];
}

/** Arguments that fit a verb. */
export interface ParsedArguments {
  /** Values by option or positional name; a flag is `''`. */
  readonly values: ReadonlyMap<string, string>;
}

/** What the command line asks for. */
export type CommandLine =
  | { readonly kind: 'verb'; readonly verb: VerbRule; readonly args: ParsedArguments }
  | { readonly kind: 'help'; readonly path: readonly string[]; readonly isError: boolean }
  | { readonly kind: 'version' }
  | { readonly kind: 'usage'; readonly path: readonly string[]; readonly lines: readonly string[] };

/** Reads a command line. Never throws: what is wrong is in the result (spec row F14). */
export function parseCommandLine(argv: readonly string[], verbs: readonly VerbRule[]): CommandLine {
  const path: string[] = [];
  for (const [index, word] of argv.entries()) {
    if (word === '-h' || word === '--help') return { kind: 'help', path, isError: false };
    if ((word === '-V' || word === '--version') && path.length === 0) return { kind: 'version' };
    if (word === 'help') return { kind: 'help', path: [...path, ...argv.slice(index + 1)], isError: false };
    if (word.startsWith('-') && word !== '-') return usage(path, unexpected(word));
    path.push(word);
    if (!verbs.some((verb) => isPrefix(path, verb.path)))
      return usage(path.slice(0, -1), [`unrecognized subcommand '${word}'`]);
    const verb = verbs.find((candidate) => candidate.path.length === path.length && isPrefix(path, candidate.path));
    if (verb !== undefined) return parseVerb(verb, argv.slice(index + 1));
  }
  return { kind: 'help', path, isError: true };
}

/** Whether the words of one path begin another. */
export function isPrefix(path: readonly string[], whole: readonly string[]): boolean {
  return path.every((word, index) => whole[index] === word);
}

/** How an option is written in usage lines. */
export function spellOption(rule: OptionRule): string {
  return rule.value === undefined ? `--${rule.name}` : `--${rule.name} <${rule.value}>`;
}

/** How a positional is written in usage lines. */
export function spellPositional(rule: PositionalRule): string {
  return rule.isRequired === true ? `<${rule.name}>` : `[${rule.name}]`;
}

function parseVerb(verb: VerbRule, words: readonly string[]): CommandLine {
  const values = new Map<string, string>();
  const positionals = [...verb.positionals];
  const queue = [...words];
  let isLiteral = false;
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (!isLiteral && (word === '-h' || word === '--help')) return { kind: 'help', path: verb.path, isError: false };
    if (!isLiteral && word === '--') {
      isLiteral = true;
      continue;
    }
    const problem =
      !isLiteral && word.startsWith('-') && word !== '-'
        ? takeOption({ verb, word, queue, values })
        : takePositional(word, positionals, values);
    if (problem !== undefined) return usage(verb.path, problem);
  }
  const isMissing = (rule: OptionRule | PositionalRule): boolean => rule.isRequired === true && !values.has(rule.name);
  const missing = [
    ...verb.options.filter(isMissing).map(spellOption),
    ...verb.positionals.filter(isMissing).map(spellPositional),
  ];
  if (missing.length === 0) return { kind: 'verb', verb, args: { values } };
  const names = missing.map((name) => `  ${name}`);
  return usage(verb.path, ['the following required arguments were not provided:', ...names]);
}

interface OptionWord {
  readonly verb: VerbRule;
  readonly word: string;
  readonly queue: string[];
  readonly values: Map<string, string>;
}

/** Takes one option with its value and returns what is wrong, or undefined. */
function takeOption({ verb, word, queue, values }: OptionWord): readonly string[] | undefined {
  const [head = '', ...rest] = word.split('=');
  const rule = verb.options.find((option) => `--${option.name}` === head);
  if (rule === undefined) return unexpected(word);
  if (values.has(rule.name)) return [`the argument '${spellOption(rule)}' cannot be used multiple times`];
  if (rule.value === undefined) {
    if (rest.length > 0)
      return [`unexpected value '${rest.join('=')}' for '${spellOption(rule)}' found; no more were expected`];
    values.set(rule.name, '');
    return undefined;
  }
  const next = rest.length > 0 ? rest.join('=') : queue[0];
  if (next === undefined || (rest.length === 0 && next.startsWith('-') && next !== '-'))
    return [`a value is required for '${spellOption(rule)}' but none was supplied`];
  if (rest.length === 0) queue.shift();
  values.set(rule.name, next);
  return undefined;
}

function takePositional(
  word: string,
  positionals: PositionalRule[],
  values: Map<string, string>,
): readonly string[] | undefined {
  const rule = positionals.shift();
  if (rule === undefined) return unexpected(word);
  values.set(rule.name, word);
  return undefined;
}

function unexpected(word: string): readonly string[] {
  return [`unexpected argument '${word.split('=')[0] ?? word}' found`];
}

function usage(path: readonly string[], lines: readonly string[]): CommandLine {
  return { kind: 'usage', path, lines };
}

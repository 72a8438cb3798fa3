import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { archiveFailure } from '../../archive/archive-failure.ts';
import { CallError } from '../../errors.ts';
import { formats } from '../../formats/index.ts';
import { didYouMean } from '../../nearest-name.ts';
import { STANDARD_MODULES } from '../../provision/standard-modules.ts';

/** What kind of plugin is begun, and where. */
export interface InitOptions {
  /** Name of the format. */
  readonly format: string;
  /** Directory that gets the plugin's directory. @default the working directory */
  readonly parent?: string | undefined;
}

/** A plugin that was begun. */
export interface InitResult {
  /** Absolute path of the plugin's directory. */
  readonly directory: string;
  readonly format: string;
  /** Paths inside it, in order. */
  readonly files: readonly string[];
  /** Commands to try there, in order; the last runs its test. */
  readonly commands: readonly string[];
}

// A format keeps its template beside its code in `src/`, which is three levels below the package here and when compiled.
const FORMATS = new URL('../../../src/formats/', import.meta.url);

/** What the templates are called, in every spelling of a name. */
const TEMPLATE = 'plugin-template';

/**
 * Begins a plugin that runs, with a test, in a directory of its name.
 *
 * @param name Lower-case letters, digits and hyphens
 * @throws CallError `ARGUMENT_INVALID` for a name that cannot be one, a format that is none, or a directory that is there
 * @throws ArchiveError `ARCHIVE_INVALID` when the directory cannot be written
 */
export async function init(name: string, options: InitOptions): Promise<InitResult> {
  const template = templateOf(options.format);
  checkName(name);
  const directory = resolve(options.parent ?? '.', name);
  if (existsSync(directory)) {
    throw new CallError('ARGUMENT_INVALID', `There is something at '${directory}' already, expected a new name`, {
      path: directory,
      hint: 'Choose another name, or another directory to begin the plugin in',
    });
  }
  const spell = spelling(name);
  const files = writeFiles(template, directory, spell);
  const readme = readFileSync(join(directory, 'README.md'), 'utf8');
  const [, block = ''] = /^```sh\n([\s\S]*?)^```/m.exec(readme) ?? [];
  return { directory, format: options.format, files, commands: block.trim().split('\n') };
}

function templateOf(format: string): string {
  const names = formats.map((each) => each.name);
  if (names.includes(format)) return fileURLToPath(new URL(`${format}/template/`, FORMATS));
  throw new CallError('ARGUMENT_INVALID', `There is no format '${format}', expected one of '${names.join("', '")}'`, {
    hint: didYouMean(format, names),
  });
}

function checkName(name: string): void {
  const module = name.replaceAll('-', '_');
  const problem = problemOf(name, module);
  if (problem === undefined) return;
  throw new CallError('ARGUMENT_INVALID', `'${name}' cannot be the name of a plugin: ${problem}`, {
    hint: "A name such as 'my-greeter' becomes a directory and a Python module",
  });
}

function problemOf(name: string, module: string): string | undefined {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))
    return 'lower-case letters, digits and single hyphens are expected';
  if (STANDARD_MODULES.has(module)) return `Python has a module '${module}' of its own`;
  if (PYTHON_WORDS.has(module)) return `'${module}' is a word of Python`;
  return formats.some((format) => format.name === module) ? `plugins import a package '${module}'` : undefined;
}

const PYTHON_WORDS: ReadonlySet<string> = new Set(
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);

/** Puts a name in place of the template's, in each of its spellings. */
function spelling(name: string): (text: string) => string {
  const spellings: readonly ((words: readonly string[]) => string)[] = [
    (words) => words.join('-'),
    (words) => words.join('_'),
    (words) => words.map(capital).join(''),
    ([first = '', ...rest]) => [capital(first), ...rest].join(' '),
  ];
  const pairs = spellings.map((spell) => [spell(TEMPLATE.split('-')), spell(name.split('-'))] as const);
  return (text) => pairs.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Staged and renamed, so that there is a whole directory or none. */
function writeFiles(template: string, directory: string, spell: (text: string) => string): string[] {
  let staging: string | undefined;
  try {
    mkdirSync(dirname(directory), { recursive: true });
    staging = mkdtempSync(join(dirname(directory), '.init-'));
    const staged = join(staging, 'plugin');
    mkdirSync(staged);
    const entries = readdirSync(template, { withFileTypes: true }).filter((entry) => entry.isFile());
    const files = entries.map(({ name }) => {
      writeFileSync(join(staged, spell(name)), spell(readFileSync(join(template, name), 'utf8')));
      return spell(name);
    });
    renameSync(staged, directory);
    return files.sort();
  } catch (cause) {
    throw archiveFailure('cannot-create', `Cannot create '${directory}'`, { cause, path: directory });
  } finally {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
  }
}

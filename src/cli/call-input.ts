import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

import type { CallOptions, CallReport, HostOptions, Plugin } from '../index.ts';
import type { CommandContext, CommandOption } from './command.ts';
import { UsageError } from './exit-code.ts';

/** Options that say whom to trust. */
export const trustOptions: readonly CommandOption[] = [
  { flags: '--trusted-key <file>', description: 'run only what this public key has signed', isRepeatable: true },
  { flags: '--covered <what>', description: "'all' refuses files that the signature does not cover" },
];

/** Options shared by the verbs that call a plugin. */
export const callOptions: readonly CommandOption[] = [
  { flags: '--input <file>', description: 'read the one argument from a file, or from standard input with -' },
  { flags: '--raw', description: 'bytes in, bytes out' },
  { flags: '--auth <key=value>', description: 'a secret for the plugin', isRepeatable: true },
  {
    flags: '--env <name[=value]>',
    description: 'grant the plugin a variable, or pass on your own',
    isRepeatable: true,
  },
  { flags: '--config <json>', description: 'configuration of the instance' },
  { flags: '--params <json>', description: 'parameters of a node' },
  { flags: '--timeout <ms>', description: 'total deadline in milliseconds' },
  { flags: '--search-path <dir>', description: 'where plugins are found by name', isRepeatable: true },
  { flags: '--python <path>', description: 'interpreter to use' },
  ...trustOptions,
  { flags: '--strict', description: "reproduce the original system's verdicts and conversions" },
  { flags: '--report', description: 'print what the call cost on standard error' },
];

/** Arguments of the operation: JSON where a word parses, text otherwise; or the one argument of `--input`. */
export async function readArguments(context: CommandContext, words: readonly string[]): Promise<readonly unknown[]> {
  const { options } = context;
  const isRaw = options['raw'] === true;
  if (typeof options['input'] === 'string') {
    if (words.length > 0) throw new UsageError('Give either --input or arguments, not both');
    const bytes = await readBytes(options['input'], context);
    return [isRaw ? bytes : parseJson(bytes.toString('utf8'), options['input'])];
  }
  if (isRaw) {
    if (words.length !== 1) throw new UsageError('With --raw there is exactly one argument; use --input for a file');
    return [Buffer.from(words[0] ?? '', 'utf8')];
  }
  return words.map(parseWord);
}

/** A word of the command line: JSON if it parses, else a text. */
export function parseWord(word: string): unknown {
  try {
    return JSON.parse(word) as unknown;
  } catch {
    return word;
  }
}

/** Options of the host that a command line asks for. */
export function hostOptionsFrom(context: CommandContext): HostOptions {
  const { options } = context;
  const searchPath = list(options['searchPath']);
  return {
    ...(searchPath.length > 0 && { searchPath }),
    ...(typeof options['python'] === 'string' && { python: { path: options['python'] } }),
    ...trustFrom(options),
    env: Object.fromEntries(list(options['env']).map(splitGrant)),
  };
}

function trustFrom({ trustedKey, covered }: CommandContext['options']): Pick<HostOptions, 'trust'> {
  const keys = list(trustedKey).map(readKey);
  if (keys.length === 0 && covered === undefined) return {};
  if (keys.length === 0) throw new UsageError('--covered needs the keys to trust: give --trusted-key');
  return { trust: { require: 'signed', keys, covered: coverageFrom(covered) } };
}

function readKey(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UsageError(`Cannot read the key '${file}': ${(cause as Error).message}`, { cause });
  }
}

/** How much a signature must cover, as a command line says it. */
export function coverageFrom(value: unknown): 'original' | 'all' {
  if (value === undefined || value === 'original' || value === 'all') return value ?? 'original';
  throw new UsageError(`--covered takes 'original' or 'all'; got '${String(value)}'`);
}

/** Loads the plugin of a command line and applies its call options. */
export async function loadFrom(context: CommandContext, reference: string): Promise<Plugin> {
  const { options, signal } = context;
  const host = context.host(hostOptionsFrom(context));
  const config = typeof options['config'] === 'string' ? parseJson(options['config'], '--config') : undefined;
  if (context.io.isTerminal) host.on('progress', ({ message }) => context.io.err(context.io.color.dim(`${message}\n`)));
  host.on('warning', ({ message }) => context.io.err(`${context.io.color.yellow('warning')}: ${message}\n`));
  const plugin = await host.load(reference, { signal, ...(config !== undefined && { config }) });
  return plugin.with(callOptionsFrom(context));
}

function callOptionsFrom(context: CommandContext): CallOptions {
  const { options, signal, io } = context;
  const auth = Object.fromEntries(list(options['auth']).map(splitAuth));
  return {
    signal,
    ...(typeof options['timeout'] === 'string' && { timeoutMs: parseNumber(options['timeout'], '--timeout') }),
    ...(Object.keys(auth).length > 0 && { auth }),
    ...(typeof options['params'] === 'string' && { params: parseObject(options['params'], '--params') }),
    ...(options['strict'] === true && { strict: true }),
    ...(options['report'] === true && { onReport: (report: CallReport) => io.err(`${JSON.stringify(report)}\n`) }),
  };
}

/** A whole number of a command line. */
export function parseNumber(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`${option} takes a number; got '${text}'`);
  return value;
}

/** JSON of a command line, with the place named when it is none. */
export function parseJson(text: string, where: string): never {
  try {
    return JSON.parse(text) as never;
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** A JSON object of a command line. */
export function parseObject(text: string, where: string): Record<string, unknown> {
  const value: unknown = parseJson(text, where);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${where} takes a JSON object`);
  return value as Record<string, unknown>;
}

/** The bytes of a file, or of standard input for `-`. */
export async function readBytes(file: string, context: CommandContext): Promise<Buffer> {
  if (file === '-') return buffer(context.io.stdin);
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`Cannot read '${file}': ${(error as Error).message}`, { cause: error });
  }
}

/** The values of a repeatable option. */
export function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function splitAuth(pair: string): readonly [string, string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new UsageError('--auth takes KEY=VALUE');
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function splitGrant(pair: string): readonly [string, string | true] {
  const at = pair.indexOf('=');
  if (at === 0) throw new UsageError(`--env takes NAME or NAME=VALUE; got '${pair}'`);
  return at < 0 ? [pair, true] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** Fields of a client's request: each is checked where it is read. */
import { CallError } from '../../errors.ts';
import type { Message } from './frames.ts';

/** @throws CallError `ARGUMENT_INVALID` unless the field is a text */
export function textField(message: Message, name: string): string {
  const value = message[name];
  if (typeof value !== 'string') throw wrong(message, name, 'a text');
  return value;
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is a text or absent */
export function optionalText(message: Message, name: string): string | undefined {
  return isAbsent(message, name) ? undefined : textField(message, name);
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is a number */
export function numberField(message: Message, name: string): number {
  const value = message[name];
  if (typeof value !== 'number') throw wrong(message, name, 'a number');
  return value;
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is a number or absent */
export function optionalNumber(message: Message, name: string): number | undefined {
  return isAbsent(message, name) ? undefined : numberField(message, name);
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is true or false */
export function flagField(message: Message, name: string): boolean {
  const value = message[name];
  if (typeof value !== 'boolean') throw wrong(message, name, 'true or false');
  return value;
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is one of the given words or absent */
export function optionalWord<Word extends string>(
  message: Message,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = optionalText(message, name);
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found === undefined) throw wrong(message, name, `one of ${words.map((word) => `'${word}'`).join(', ')}`);
  return found;
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is a list or absent */
export function listField(message: Message, name: string): readonly unknown[] {
  const value = message[name] ?? [];
  if (!Array.isArray(value)) throw wrong(message, name, 'a list');
  return value;
}

/** @throws CallError `ARGUMENT_INVALID` unless the field is an object or absent */
export function objectField(message: Message, name: string): Readonly<Record<string, unknown>> {
  const value = message[name] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(message, name, 'an object');
  return { ...value };
}

function isAbsent(message: Message, name: string): boolean {
  return message[name] === undefined || message[name] === null;
}

function wrong(message: Message, name: string, expected: string): CallError {
  return new CallError('ARGUMENT_INVALID', `Field '${name}' of a request '${message.kind}' is not ${expected}`);
}

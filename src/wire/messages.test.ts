import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import * as messages from './messages.ts';

const ours = readFileSync(fileURLToPath(new URL('./messages.ts', import.meta.url)), 'utf8');
const theirs = readFileSync(fileURLToPath(new URL('../../runner/_charmer/messages.py', import.meta.url)), 'utf8');

describe('messages', () => {
  it('open with the same words in both languages', () => {
    const typescript = /\/\*\*([\s\S]*?)\*\//.exec(ours)?.[1]?.replaceAll(/^ \*/gm, '') ?? '';
    const python = /"""([\s\S]*?)"""/.exec(theirs)?.[1] ?? '';
    expect(words(typescript)).toEqual(words(python));
    expect(words(python).length).toBeGreaterThan(100);
  });

  it('list the same kinds in the same order', () => {
    const listed = /^(HELLO, .*) = \($/m.exec(theirs)?.[1] ?? '';
    expect(listed.toLowerCase().split(', ')).toEqual([...messages.KINDS]);
  });

  it('give the kinds their numbers, from 1', () => {
    const numbers = messages.KINDS.map((kind) => (messages as Record<string, unknown>)[kind.toUpperCase()]);
    expect(numbers).toEqual(messages.KINDS.map((_, index) => index + 1));
  });

  it.each(['PROTOCOL', 'HEADER_BYTES', 'TAGGED', 'ATTACHED', 'RAW', 'BATCH', 'STREAMING', 'OPTIONS', 'WINDOW_ITEMS'])(
    'give %s the same value',
    (name) => {
      const value = new RegExp(`^${name} = (\\d+)$`, 'm').exec(theirs)?.[1];
      expect((messages as Record<string, unknown>)[name]).toBe(Number(value));
    },
  );

  it.each(['WINDOW_BYTES', 'MAX_FRAME_BYTES'])('give %s the same value', (name) => {
    const [, base, shift] = new RegExp(`^${name} = (\\d+) << (\\d+)$`, 'm').exec(theirs) ?? [];
    expect((messages as Record<string, unknown>)[name]).toBe(Number(base) << Number(shift));
  });
});

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

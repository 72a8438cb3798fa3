import { describe, expect, it } from 'vitest';

import { redact, redactDeep, redactTail } from './redact.ts';

const SECRETS = { API_KEY: 'sk-4f9a"71 c3', REGION: 'de', LONG: 'sk-4f9a"71 c3-and-more' };

describe('redact()', () => {
  it.each([
    ['key=sk-4f9a"71 c3;', 'key=[redacted API_KEY];'],
    ['{"k":"sk-4f9a\\"71 c3"}', '{"k":"[redacted API_KEY]"}'],
    ['?k=sk-4f9a%2271%20c3&', '?k=[redacted API_KEY]&'],
    ['?k=sk-4f9a%2271+c3&', '?k=[redacted API_KEY]&'],
    ['sk-4f9a"71 c3-and-more', '[redacted LONG]'],
    ['modern', 'modern'],
  ])('turns %j into %j (W30)', (text, redacted) => {
    expect(redact(text, SECRETS)).toBe(redacted);
  });
});

describe('redactTail()', () => {
  it('replaces the end of a secret that a cut went through (W30)', () => {
    expect(redactTail('9a"71 c3 failed', SECRETS)).toBe('[redacted API_KEY] failed');
  });

  it('leaves a beginning that is too short to tell', () => {
    expect(redactTail('c3 failed', SECRETS)).toBe('c3 failed');
  });
});

describe('redactDeep()', () => {
  it('reaches texts in lists, objects and keys, and leaves other values', () => {
    const when = new Date(0);
    expect(redactDeep({ 'sk-4f9a"71 c3': ['sk-4f9a"71 c3', 1, when] }, SECRETS)).toEqual({
      '[redacted API_KEY]': ['[redacted API_KEY]', 1, when],
    });
  });
});

import { createCipheriv, pbkdf2Sync } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { StoreError } from '../errors.ts';
import { createSecretBox } from './sealed-value.ts';

const SECRET = 'a secret of more than thirty-two characters, fixed';

/** A second implementation: the recorded scheme, step by step. */
function sealByHand(plaintext: string, secret: string, tagLength = 16): string {
  const [salt, iv] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)];
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(secret, salt, 100_000, 32, 'sha256'), iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return [salt, iv, ciphertext, cipher.getAuthTag().subarray(0, tagLength)]
    .map((part) => part.toString('base64'))
    .join(':');
}

describe('createSecretBox()', () => {
  const box = createSecretBox(SECRET);

  it.each(['', 'abc', 'schlüssel ✓ 😀'])(
    'opens what it and another implementation sealed: %j (O35)',
    async (plaintext) => {
      expect(await box.open(await box.seal(plaintext))).toBe(plaintext);
      expect(await box.open(sealByHand(plaintext, SECRET))).toBe(plaintext);
      expect(box.openSync(box.sealSync(plaintext))).toBe(plaintext);
    },
  );

  it('seals differently every time, in parts of 16, 12, n and 16 bytes (O35)', async () => {
    const [first, second] = [await box.seal('abc'), await box.seal('abc')];
    expect(first).not.toBe(second);
    expect(first.split(':').map((part) => Buffer.from(part, 'base64').length)).toEqual([16, 12, 3, 16]);
  });

  it.each([
    ['three parts', 'a:b:c', 'parts'],
    ['five parts', `${sealByHand('x', SECRET)}:`, 'parts'],
    ['nothing', '', 'parts'],
    ['a tag of 12 bytes', sealByHand('x', SECRET, 12), 'sizes'],
    ['a tag of 4 bytes', sealByHand('x', SECRET, 4), 'sizes'],
    ['another secret', sealByHand('x', 'another secret'), 'authentication'],
  ])('refuses %s with SECRET_UNREADABLE (W42)', async (_what, sealed, fault) => {
    const opening = box.open(sealed);
    await expect(opening).rejects.toBeInstanceOf(StoreError);
    await expect(opening).rejects.toMatchObject({ code: 'SECRET_UNREADABLE', details: { fault } });
    expect(() => box.openSync(sealed)).toThrow(StoreError);
  });

  it('takes the URL alphabet and missing padding (§4)', async () => {
    const sealed = sealByHand('value', SECRET).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    expect(await box.open(sealed)).toBe('value');
  });

  it('derives a key once for many openings of one value (W29)', async () => {
    const sealed = sealByHand('value', SECRET);
    const values = await Promise.all(Array.from({ length: 200 }, () => box.open(sealed)));
    expect(new Set(values)).toEqual(new Set(['value']));
  });

  it('refuses a blank secret', () => {
    expect(() => createSecretBox('')).toThrow(StoreError);
  });
});

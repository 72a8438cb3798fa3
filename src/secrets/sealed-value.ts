/**
 * Values at rest: AES-256-GCM under a key derived by PBKDF2-HMAC-SHA256 with 100,000 rounds, written
 * `salt:iv:ciphertext:tag`, each part in base64 (the four-part values of existing stores can be read).
 *
 * The tag must be 16 bytes, the IV 12 and the salt 16: a shortened tag could be forged.
 */
import { createCipheriv, createDecipheriv, pbkdf2, pbkdf2Sync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import { StoreError } from '../errors.ts';

const CIPHER = 'aes-256-gcm';
const DIGEST = 'sha256';
const ROUNDS = 100_000;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** How many derived keys a box keeps: as many stored values can be opened again for nothing. */
const MAX_CACHED_KEYS = 256;

const deriveKey = promisify(pbkdf2);

/** Seals and opens values under one secret. */
export interface SecretBox {
  /** Another sealed text at every call. */
  seal(plaintext: string): Promise<string>;
  /** @throws StoreError `SECRET_UNREADABLE` */
  open(sealed: string): Promise<string>;
  /** `seal` that blocks for the derivation of one key, some 16 ms. */
  sealSync(plaintext: string): string;
  /** `open` that blocks for the derivation of one key the first time. */
  openSync(sealed: string): string;
}

/**
 * A box for one secret, with a cache of derived keys of its own.
 *
 * @throws StoreError `SECRET_UNREADABLE` for a blank secret
 */
export function createSecretBox(secret: string): SecretBox {
  if (secret === '')
    throw new StoreError('SECRET_UNREADABLE', 'There is no secret to seal values with', {
      hint: 'Give a secret of at least 32 characters.',
    });
  const keys = new KeyCache(secret);
  return {
    seal: async (plaintext) => {
      const salt = randomBytes(SALT_BYTES);
      return sealWith(await keys.derive(salt), salt, plaintext);
    },
    open: async (sealed) => {
      const parts = parseSealed(sealed);
      return openWith(await keys.derive(parts.salt), parts);
    },
    sealSync: (plaintext) => {
      const salt = randomBytes(SALT_BYTES);
      return sealWith(keys.deriveSync(salt), salt, plaintext);
    },
    openSync: (sealed) => {
      const parts = parseSealed(sealed);
      return openWith(keys.deriveSync(parts.salt), parts);
    },
  };
}

/** The parts of a sealed value. */
export interface SealedParts {
  readonly salt: Buffer;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/**
 * Takes a sealed value apart. The URL alphabet and missing padding are accepted.
 *
 * @throws StoreError `SECRET_UNREADABLE`, with `details.fault` `parts` or `sizes`
 */
export function parseSealed(sealed: string): SealedParts {
  const [salt, iv, ciphertext, tag, ...more] = sealed.split(':').map((part) => Buffer.from(part, 'base64'));
  if (salt === undefined || iv === undefined || ciphertext === undefined || tag === undefined || more.length > 0) {
    throw unreadable('The sealed value must have four parts', 'parts');
  }
  if (salt.length !== SALT_BYTES || iv.length !== IV_BYTES || tag.length !== TAG_BYTES) {
    const sizes = `${salt.length}, ${iv.length} and ${tag.length} bytes`;
    throw unreadable(`Salt, IV and tag of the sealed value must be 16, 12 and 16 bytes, not ${sizes}`, 'sizes');
  }
  return { salt, iv, ciphertext, tag };
}

function sealWith(key: Buffer, salt: Buffer, plaintext: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return [salt, iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64')).join(':');
}

function openWith(key: Buffer, { iv, ciphertext, tag }: SealedParts): string {
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw unreadable('The sealed value was changed, or was sealed with another secret', 'authentication', cause);
  }
}

function unreadable(message: string, fault: string, cause?: unknown): StoreError {
  return new StoreError('SECRET_UNREADABLE', message, { details: { fault }, cause, hint: 'Store the value again.' });
}

/** Derived keys by salt, the latest used kept. Two derivations of one salt at once are one. */
class KeyCache {
  readonly #secret: string;
  readonly #pending = new Map<string, Promise<Buffer>>();
  readonly #keys = new Map<string, Buffer>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  async derive(salt: Buffer): Promise<Buffer> {
    const name = salt.toString('base64');
    const known = this.#keys.get(name);
    if (known !== undefined) return this.#keep(name, known);
    const pending = this.#pending.get(name) ?? deriveKey(this.#secret, salt, ROUNDS, KEY_BYTES, DIGEST);
    this.#pending.set(name, pending);
    try {
      return this.#keep(name, await pending);
    } finally {
      this.#pending.delete(name);
    }
  }

  deriveSync(salt: Buffer): Buffer {
    const name = salt.toString('base64');
    return this.#keep(name, this.#keys.get(name) ?? pbkdf2Sync(this.#secret, salt, ROUNDS, KEY_BYTES, DIGEST));
  }

  #keep(name: string, key: Buffer): Buffer {
    this.#keys.delete(name);
    this.#keys.set(name, key);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size > MAX_CACHED_KEYS && oldest.done !== true) this.#keys.delete(oldest.value);
    return key;
  }
}

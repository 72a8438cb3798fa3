/** Secret values by the key that people know them by. */
export type SecretValues = Readonly<Record<string, string>>;

/** Shorter values are left: they are part of ordinary words (`de`, `1`), and no secret is that short. */
const SHORTEST_SECRET = 4;

/**
 * A text with every secret value replaced by `[redacted KEY]`: as it is, as JSON writes it, and as an address does.
 * Values shorter than four characters stay.
 */
export function redact(text: string, secrets: SecretValues): string {
  let redacted = text;
  for (const { value, key } of spellings(secrets)) redacted = redacted.replaceAll(value, `[redacted ${key}]`);
  return redacted;
}

/**
 * `redact` for a text whose beginning was cut off: the end of a secret that the cut went through is replaced too, when
 * at least four characters of it are left.
 */
export function redactTail(tail: string, secrets: SecretValues): string {
  for (const { value, key } of spellings(secrets)) {
    for (let length = value.length - 1; length >= SHORTEST_SECRET; length -= 1) {
      if (tail.startsWith(value.slice(-length))) return `[redacted ${key}]${redact(tail.slice(length), secrets)}`;
    }
  }
  return redact(tail, secrets);
}

/**
 * `redact` for every text within a value, keys of objects included. Lists and plain objects are copied; errors and
 * other objects are returned as they are.
 */
export function redactDeep(value: unknown, secrets: SecretValues): unknown {
  if (typeof value === 'string') return redact(value, secrets);
  if (Array.isArray(value)) return value.map((member) => redactDeep(member, secrets));
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => [redact(key, secrets), redactDeep(member, secrets)]);
  return Object.fromEntries(entries);
}

/** Longest first, so that no part of a longer value is left behind by a shorter one. */
function spellings(secrets: SecretValues): readonly { readonly key: string; readonly value: string }[] {
  const secret = Object.entries(secrets).filter(([, value]) => value.length >= SHORTEST_SECRET);
  // Most plugins have none, and every line that a plugin writes comes through here.
  if (secret.length === 0) return [];
  return secret
    .flatMap(([key, value]) =>
      [...new Set([value, inJson(value), ...inAddress(value)])].map((spelling) => ({ key, value: spelling })),
    )
    .sort((a, b) => b.value.length - a.value.length);
}

function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function inAddress(value: string): string[] {
  try {
    const escaped = encodeURIComponent(value);
    return [escaped, escaped.replaceAll('%20', '+')];
  } catch {
    return [];
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

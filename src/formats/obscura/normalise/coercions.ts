/** The conversions that the normalised shapes are made of (spec §2.6). */
import { isRecord, ownValue } from '../record.ts';

/** Fields of a plugin's result; what is no object has none. */
export function fieldsOf(raw: unknown): (key: string) => unknown {
  return typeof raw === 'object' && raw !== null ? (key) => ownValue(raw, key) : () => undefined;
}

/** The main field, or its alias where the main one is null or absent: anything else blocks the alias. */
export function aliased(field: (key: string) => unknown, main: string, alias: string): unknown {
  return field(main) ?? field(alias);
}

/** Trimmed; blank or no text: null. */
export function text(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const trimmed = value.trim();
  return trimmed === '' ? null : trimmed;
}

/** Trimmed texts of a list, the first spelling of each in JavaScript's lower case. */
export function names(value: unknown): string[] {
  const kept = new Map<string, string>();
  for (const member of members(value)) {
    const name = text(member);
    if (name !== null && !kept.has(name.toLowerCase())) kept.set(name.toLowerCase(), name);
  }
  return [...kept.values()];
}

/** Addresses of a list or of a single text, in order, doubles kept. */
export function addresses(value: unknown): string[] {
  const candidates: readonly unknown[] = typeof value === 'string' ? [value] : members(value);
  return candidates
    .map(text)
    .filter((address): address is string => address !== null && /^(?:https?:\/\/|data:)/.test(address));
}

/** The address of a picture. */
export function imageAddress(value: unknown): string | null {
  const address = text(value);
  return address !== null && /^(?:https?:\/\/|data:image\/)/.test(address) ? address : null;
}

/** Family A: finite numbers as they are, texts by their leading integer. */
export function countA(value: unknown): number | null {
  return finite(typeof value === 'string' ? Number.parseInt(value, 10) : value);
}

/** Family B: finite numbers as they are, texts by their leading number. */
export function numberB(value: unknown): number | null {
  return finite(typeof value === 'string' ? Number.parseFloat(value) : value);
}

/** Family B: what `numberB` gives, cut to an integer. */
export function integerB(value: unknown): number | null {
  const number = numberB(value);
  return number === null ? null : Math.trunc(number);
}

/** Ids by provider: texts only, keys and values trimmed, blank ones dropped; `__proto__` is a key like any other (W32). */
export function externalIds(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  const entries = Object.entries(value).flatMap(([key, id]): [string, string][] => {
    const [provider, trimmed] = [key.trim(), text(id)];
    return provider === '' || trimmed === null ? [] : [[provider, trimmed]];
  });
  return Object.fromEntries(entries);
}

/** The members of a list; nothing of anything else. */
export function members(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Fields whose value is null or undefined left out. */
export function present<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: NonNullable<T[K]> };
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

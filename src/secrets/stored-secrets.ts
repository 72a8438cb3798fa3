/** The stored secrets of one plugin: their values, and whether they are all there (spec rows O34, O36, W28, W29). */
import type { SecretField } from '../plugin-spec.ts';
import type { SecretBox } from './sealed-value.ts';

/** One stored value. */
export interface StoredSecret {
  readonly key: string;
  /** As `SecretBox.seal` wrote it. */
  readonly sealed: string;
}

/** The state of one stored value. */
export type SecretState = 'ok' | 'undecryptable';

/** Whether a plugin has the secrets it asks for; null: it asks for none. */
export type AuthStatus = 'ok' | 'missing' | 'undecryptable' | null;

/** What could be opened. */
export interface OpenedSecrets {
  /** Values by key, those that cannot be opened left out. */
  readonly values: Readonly<Record<string, string>>;
  readonly states: Readonly<Record<string, SecretState>>;
}

/**
 * Opens stored values, all at once and off the event loop. Without a box nothing can be opened.
 *
 * @param only Keys to open; the others are left alone. @default all of them
 */
export async function openSecrets(
  stored: readonly StoredSecret[],
  box: SecretBox | undefined,
  only?: readonly string[],
): Promise<OpenedSecrets> {
  const wanted = only === undefined ? stored : stored.filter(({ key }) => only.includes(key));
  const opened = await Promise.all(
    wanted.map(async ({ key, sealed }) => ({ key, value: await box?.open(sealed).catch(() => undefined) })),
  );
  const readable = opened.flatMap(({ key, value }): [string, string][] => (value === undefined ? [] : [[key, value]]));
  const states = opened.map(({ key, value }): [string, SecretState] => [
    key,
    value === undefined ? 'undecryptable' : 'ok',
  ]);
  return { values: Object.fromEntries(readable), states: Object.fromEntries(states) };
}

/**
 * The status of a plugin's secrets: null when it asks for none; `missing` when a required one is not stored;
 * `undecryptable` when one that it asks for cannot be opened; else `ok`. An empty value counts as stored.
 */
export function authStatus(
  fields: readonly Pick<SecretField, 'key' | 'isRequired'>[],
  states: Readonly<Record<string, SecretState>>,
): AuthStatus {
  if (fields.length === 0) return null;
  if (fields.some(({ key, isRequired }) => isRequired && !Object.hasOwn(states, key))) return 'missing';
  return fields.some(({ key }) => Object.hasOwn(states, key) && states[key] === 'undecryptable')
    ? 'undecryptable'
    : 'ok';
}

/** Keys at rest as the original keeps them: under `OBSCURA_SECRET`, in four parts (spec §4, O34, O35). */
import { StoreError } from '../../errors.ts';
import { authStatus, openSecrets, type AuthStatus, type SecretState } from '../../secrets/stored-secrets.ts';
import { createSecretBox, type SecretBox } from '../../secrets/sealed-value.ts';
import type { ObscuraAuthField } from '../../formats/obscura/manifest.ts';

/** A row of the original's table of keys. */
export interface PluginAuthRow {
  readonly authKey: string;
  readonly encryptedValue: string;
}

/** Seals a value. Throws without `OBSCURA_SECRET`: unlike the original there is no secret that everybody knows. */
export function encryptAuthValue(plaintext: string): string {
  return requiredBox().sealSync(plaintext);
}

/** Opens a sealed value; the errors have the original's texts. */
export function decryptAuthValue(encrypted: string): string {
  const box = requiredBox();
  try {
    return box.openSync(encrypted);
  } catch (error) {
    const fault = error instanceof StoreError ? error.details?.['fault'] : undefined;
    if (fault === undefined) throw error;
    const isChanged = fault === 'authentication';
    const text = isChanged ? 'Unsupported state or unable to authenticate data' : 'Invalid encrypted auth value format';
    throw new Error(text, { cause: error });
  }
}

/** The values of a plugin's rows by key; rows that cannot be opened are left out. */
export async function resolvePluginAuth(
  _pluginId: string,
  rows: readonly PluginAuthRow[],
): Promise<Record<string, string>> {
  return { ...(await opened(rows)).values };
}

/** What is known about a plugin's rows: the state of each, and the status of all (spec W29). */
export async function describePluginAuth(
  fields: readonly ObscuraAuthField[] | undefined,
  rows: readonly PluginAuthRow[],
): Promise<{ readonly status: AuthStatus; readonly states: Readonly<Record<string, SecretState>> }> {
  const { states } = await opened(rows);
  const wanted = (fields ?? []).map(({ key, required }) => ({ key, isRequired: required }));
  return { status: authStatus(wanted, states), states };
}

function opened(rows: readonly PluginAuthRow[]): ReturnType<typeof openSecrets> {
  const stored = rows.map(({ authKey, encryptedValue }) => ({ key: authKey, sealed: encryptedValue }));
  return openSecrets(stored, secretBox());
}

function requiredBox(): SecretBox {
  const box = secretBox();
  if (box === undefined) throw new Error('OBSCURA_SECRET is required to keep the keys of plugins');
  return box;
}

function secretBox(): SecretBox | undefined {
  const secret = process.env['OBSCURA_SECRET'];
  return secret === undefined || secret === '' ? undefined : createSecretBox(secret);
}

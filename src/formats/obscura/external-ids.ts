/** Ids of one thing at several providers (spec §6, O57). Null and absent maps count as empty. */
import { ownValue } from './record.ts';

/** Ids of one work by provider, for example `{ tmdb: "603" }`. */
export type ExternalIdMap = Readonly<Record<string, string>>;

/** The id at a provider, or undefined where there is none or it is no text. */
export function getExternalId(map: ExternalIdMap | null | undefined, provider: string): string | undefined {
  const id = ownValue(map ?? {}, provider);
  return typeof id === 'string' ? id : undefined;
}

/** A new map with the id set, trimmed; a blank or absent one removes it. */
export function setExternalId(
  map: ExternalIdMap | null | undefined,
  provider: string,
  value: string | null | undefined,
): Record<string, string> {
  const id = value?.trim() ?? '';
  const others = Object.entries(map ?? {});
  if (id === '') return Object.fromEntries(others.filter(([key]) => key !== provider));
  return Object.fromEntries([...others, [provider, id]]);
}

/** Whether there is an id at a provider: an empty text counts. */
export function hasExternalId(map: ExternalIdMap | null | undefined, provider: string): boolean {
  return getExternalId(map, provider) !== undefined;
}

/** Both maps in a new one; the second wins. */
export function mergeExternalIds(
  base: ExternalIdMap | null | undefined,
  incoming: ExternalIdMap | null | undefined,
): Record<string, string> {
  return Object.fromEntries([...Object.entries(base ?? {}), ...Object.entries(incoming ?? {})]);
}

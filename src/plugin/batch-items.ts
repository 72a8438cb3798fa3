import type { BatchRow } from '../formats/format.ts';

/** One item of a batch with its id; further fields travel along. */
export interface BatchItem {
  readonly id: string;
  readonly input: unknown;
}

/** An item is `{ id, input }`, or any other value, which is an input whose id is its position. */
export function parseBatchItems(items: readonly unknown[]): readonly BatchItem[] {
  if (!Array.isArray(items)) throw new TypeError('A batch takes an array of items');
  return items.map((item: unknown, index) => {
    if (isItem(item)) return { ...item, id: String(item.id) };
    return { id: String(index), input: item };
  });
}

/**
 * Works through items with at most `concurrency` at once: a row each, in input order, errors kept in their rows.
 * Finished rows survive whatever happens to the rest.
 */
export async function runBatch(
  items: readonly BatchItem[],
  call: (item: BatchItem) => Promise<unknown>,
  options: { readonly concurrency: number; readonly onRow?: ((row: BatchRow) => void) | undefined },
): Promise<readonly BatchRow[]> {
  const rows = new Array<BatchRow>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item === undefined) return;
      const row = await settle(item, call);
      rows[index] = row;
      options.onRow?.(row);
    }
  };
  const lanes = Math.max(1, Math.min(Math.floor(options.concurrency) || 1, items.length));
  await Promise.all(Array.from({ length: lanes }, work));
  return rows;
}

async function settle(item: BatchItem, call: (item: BatchItem) => Promise<unknown>): Promise<BatchRow> {
  try {
    return { id: item.id, result: await call(item) };
  } catch (error) {
    return { id: item.id, error };
  }
}

function isItem(item: unknown): item is { id: string | number; input: unknown } {
  if (typeof item !== 'object' || item === null || !('id' in item) || !('input' in item)) return false;
  return typeof item.id === 'string' || typeof item.id === 'number';
}

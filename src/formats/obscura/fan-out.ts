/** One item of a fan-out. */
export interface FanOutItem<Input> {
  readonly id: string;
  readonly input: Input;
}

/** One row: `error` says why an item has no result. */
export interface FanOutRow<Result> {
  readonly id: string;
  readonly result: Result | null;
  readonly error?: string;
}

/**
 * Runs a callback over the inputs of items, a few at once (spec §2.4, O26, W16). Rows come in the order of the items; an
 * item whose callback fails keeps its reason in `error` and does not stop the others.
 *
 * @param concurrency How many run at once; raised to 1. @default 3
 */
export async function fanOut<Input, Result>(
  items: readonly FanOutItem<Input>[],
  callback: (input: Input) => Promise<Result> | Result,
  concurrency = 3,
): Promise<FanOutRow<Result>[]> {
  const rows: FanOutRow<Result>[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) rows[index] = await row(item, callback);
  };
  const lanes = Math.min(items.length, Math.max(1, Math.floor(Number.isNaN(concurrency) ? 1 : concurrency)));
  await Promise.all(Array.from({ length: lanes }, lane));
  return rows;
}

async function row<Input, Result>(
  item: FanOutItem<Input>,
  callback: (input: Input) => Promise<Result> | Result,
): Promise<FanOutRow<Result>> {
  try {
    return { id: item.id, result: (await callback(item.input)) ?? null };
  } catch (error) {
    return { id: item.id, result: null, error: error instanceof Error ? error.message : String(error) };
  }
}

import { describe, expect, it } from 'vitest';

import { fanOut } from './fan-out.ts';

describe('fanOut()', () => {
  const items = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, input: id.toUpperCase() }));

  /** A callback whose calls end when the test says so. */
  function gated() {
    const waiting: (() => void)[] = [];
    let alive = 0;
    let peak = 0;
    const callback = async (input: string): Promise<string> => {
      alive += 1;
      peak = Math.max(peak, alive);
      await new Promise<void>((resolve) => waiting.push(resolve));
      alive -= 1;
      return input;
    };
    return { callback, waiting, peak: () => peak };
  }

  it.each([
    [undefined, 3],
    [0, 1],
    [-5, 1],
    [Number.NaN, 1],
    [2.9, 2],
    [Infinity, 5],
  ])('runs with concurrency %s at most %i at once and loses nothing (O26, W16)', async (concurrency, most) => {
    const { callback, waiting, peak } = gated();
    const running = fanOut(items, callback, concurrency);
    for (let done = 0; done < items.length; done += 1) {
      while (waiting.length === 0) await Promise.resolve();
      waiting.pop()?.();
    }
    expect(await running).toEqual(items.map(({ id, input }) => ({ id, result: input })));
    expect(peak()).toBe(most);
  });

  it('keeps why an item failed in its row (W16)', async () => {
    const rows = await fanOut(items.slice(0, 3), (input) => {
      if (input === 'B') throw new Error('no quota');
      return input === 'C' ? undefined : input;
    });
    expect(rows).toEqual([
      { id: 'a', result: 'A' },
      { id: 'b', result: null, error: 'no quota' },
      { id: 'c', result: null },
    ]);
  });

  it('gives no rows for no items', async () => {
    expect(await fanOut([], () => 1)).toEqual([]);
  });
});

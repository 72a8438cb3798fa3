import { describe, expect, it } from 'vitest';

import { Channel } from './channel.ts';

const taken = async (channel: Channel<number>, count: number): Promise<unknown[]> => {
  const items: unknown[] = [];
  for (let n = 0; n < count; n += 1) items.push((await channel.take()).value);
  return items;
};

describe('Channel', () => {
  it('Channel blocks a producer when it is full, and keeps the order of those who wait (R43)', async () => {
    const channel = new Channel<number>(2);
    expect([channel.push(1), channel.push(2)]).toEqual([true, true]);
    const third = channel.push(3);
    const fourth = channel.push(4);
    expect(third).toBeInstanceOf(Promise);
    expect(await taken(channel, 4)).toEqual([1, 2, 3, 4]);
    expect(await Promise.all([third, fourth])).toEqual([true, true]);
  });

  it('Channel hands an item to a consumer that waits', async () => {
    const channel = new Channel<number>(1);
    const next = channel.take();
    expect(channel.push(7)).toBe(true);
    expect(await next).toEqual({ value: 7, done: false });
    expect(channel.size).toBe(0);
  });

  it('Channel.close() lets what is queued be taken, blocked items included, then ends', async () => {
    const channel = new Channel<number>(1);
    void channel.push(1);
    const blocked = channel.push(2);
    channel.close();
    expect(await blocked).toBe(true);
    expect(channel.push(3)).toBe(false);
    expect(await taken(channel, 3)).toEqual([1, 2, undefined]);
  });

  it('Channel.discard() tells blocked producers and waiting consumers, and leaves nothing', async () => {
    const channel = new Channel<number>(1);
    void channel.push(1);
    const blocked = channel.push(2);
    expect(channel.discard()).toBe(2);
    expect(await blocked).toBe(false);
    expect((await channel.take()).done).toBe(true);
  });

  it('Channel.offer() goes beyond the capacity up to its limit', () => {
    const channel = new Channel<number>(1);
    expect([1, 2, 3].map((item) => channel.offer(item, 2))).toEqual([true, true, false]);
  });

  it('Channel keeps the order over many items and few slots', async () => {
    const channel = new Channel<number>(3);
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const pushed = (async () => {
      for (const number of numbers) await channel.push(number);
      channel.close();
    })();
    expect(await taken(channel, 1000)).toEqual(numbers);
    await pushed;
    expect((await channel.take()).done).toBe(true);
  });
});

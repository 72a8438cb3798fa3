import { describe, expect, it } from 'vitest';

import { IncomingStream } from './incoming-stream.ts';

function opened(window?: number) {
  const grants: number[] = [];
  let started = 0;
  let cancelled = 0;
  const stream = new IncomingStream(
    { start: () => started++, grant: (items) => grants.push(items), cancel: () => cancelled++ },
    window,
  );
  return { stream, grants, started: () => started, cancelled: () => cancelled };
}

function items(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

describe('IncomingStream', () => {
  it('starts with the first next(), once, and allows sixteen items', async () => {
    const { stream, grants, started } = opened();
    expect(started()).toBe(0);
    const first = stream.next();
    const second = stream.next();
    expect([started(), grants]).toEqual([1, [16]]);
    stream.push([1, 2], 2);
    expect(await Promise.all([first, second])).toEqual([
      { value: 1, done: false },
      { value: 2, done: false },
    ]);
  });

  it('allows more when half of its window is consumed', async () => {
    const { stream, grants } = opened(16);
    const first = stream.next();
    stream.push(items(16), 16);
    await first;
    for (let i = 1; i < 7; i++) await stream.next();
    expect(grants).toEqual([16]);
    await stream.next();
    expect(grants).toEqual([16, 8]);
  });

  it('doubles its window while its consumer waits, up to 1024', async () => {
    const { stream, grants } = opened();
    for (let round = 0; round < 40; round++) {
      const waiting = stream.next();
      stream.push([round], 1);
      await waiting;
    }
    const allowed = grants.reduce((sum, count) => sum + count, 0);
    expect(allowed - 40).toBeLessThanOrEqual(1024);
    expect(allowed - 40).toBeGreaterThan(512);
  });

  it('halves its window when items pile up', async () => {
    const { stream, grants } = opened();
    for (let round = 0; round < 2; round++) {
      const waiting = stream.next();
      stream.push([round], 1);
      await waiting;
    }
    expect(grants).toEqual([16, 17, 33]);
    for (let round = 0; round < 6; round++) stream.push(items(10), 10);
    for (let i = 0; i < 60; i++) await stream.next();
    expect(grants).toEqual([16, 17, 33, 8]);
  });

  it('keeps a window that was given', async () => {
    const { stream, grants } = opened(1);
    for (let round = 0; round < 5; round++) {
      const waiting = stream.next();
      stream.push([round], 1);
      await waiting;
    }
    expect(grants).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('gives bytes back when half of four megabytes is consumed, before half of the items', async () => {
    const grants: (readonly [number, number])[] = [];
    const stream = new IncomingStream(
      {
        start: () => undefined,
        grant: (count, bytes) => grants.push([count, bytes]),
        cancel: () => undefined,
      },
      16,
    );
    const first = stream.next();
    stream.push(['large'], 3 << 20);
    await first;
    expect(grants).toEqual([
      [16, 0],
      [1, 3 << 20],
    ]);
  });

  it('delivers what has arrived before it ends or fails', async () => {
    const { stream } = opened();
    const first = stream.next();
    stream.push([1, 2], 2);
    stream.finish({ error: new Error('late') });
    expect(await first).toEqual({ value: 1, done: false });
    expect(await stream.next()).toEqual({ value: 2, done: false });
    await expect(stream.next()).rejects.toThrow('late');
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  it('fails the first of those who wait and ends the others', async () => {
    const { stream } = opened();
    const waiting = [stream.next(), stream.next()];
    stream.finish({ error: new Error('gone') });
    await expect(waiting[0]).rejects.toThrow('gone');
    expect(await waiting[1]).toEqual({ value: undefined, done: true });
  });

  it('cancels once when left, and not when it was never started or has ended', async () => {
    const left = opened();
    void left.stream.next();
    await left.stream.return();
    await left.stream.return();
    expect(left.cancelled()).toBe(1);
    const never = opened();
    await never.stream.return();
    expect([never.started(), never.cancelled()]).toEqual([0, 0]);
    expect(await never.stream.next()).toEqual({ value: undefined, done: true });
    const ended = opened();
    void ended.stream.next();
    ended.stream.finish();
    await ended.stream.return();
    expect(ended.cancelled()).toBe(0);
  });

  it('rejects with what start() throws, then is over', async () => {
    const stream = new IncomingStream({
      start: () => {
        throw new Error('refused');
      },
      grant: () => undefined,
      cancel: () => undefined,
    });
    await expect(stream.next()).rejects.toThrow('refused');
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });
});

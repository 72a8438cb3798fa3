import { describe, expect, it } from 'vitest';

import { type PendingCall, PendingCalls } from './pending-calls.ts';

function call(id: number): PendingCall {
  return { id, slot: 0, resolve: () => undefined, reject: () => undefined, isAbandoned: false };
}

describe('PendingCalls', () => {
  it('gives odd ids in order', () => {
    const calls = new PendingCalls();
    expect([calls.nextId(), calls.nextId(), calls.nextId()]).toEqual([1, 3, 5]);
  });

  it('wraps at 32 bits and skips ids in use', () => {
    const calls = new PendingCalls(0xffff_fffd);
    calls.add(call(1));
    calls.add(call(5));
    expect([calls.nextId(), calls.nextId(), calls.nextId()]).toEqual([0xffff_ffff, 3, 7]);
  });

  it('stops listening when a call is taken', () => {
    const calls = new PendingCalls();
    let stopped = 0;
    calls.add({ ...call(1), unlisten: () => stopped++ });
    calls.add({ ...call(3), unlisten: () => stopped++ });
    expect(calls.take(1)?.id).toBe(1);
    expect(calls.take(1)).toBeUndefined();
    expect(calls.takeAll().map(({ id }) => id)).toEqual([3]);
    expect([stopped, calls.size]).toEqual([2, 0]);
  });
});

import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRendezvous, type Rendezvous } from './rendezvous.ts';

let rendezvous: Rendezvous;
beforeAll(async () => {
  rendezvous = await openRendezvous();
});
afterAll(() => rendezvous.close());

function say(...bytes: readonly Uint8Array[]): Socket {
  const socket = connect(rendezvous.path);
  socket.on('error', () => undefined);
  socket.resume();
  for (const part of bytes) socket.write(part);
  return socket;
}

function opening(token: string, channel: number): Buffer {
  return Buffer.concat([Buffer.from(token, 'hex'), Buffer.from([channel])]);
}

describe('openRendezvous()', () => {
  it('openRendezvous() makes a private directory with a short path', () => {
    expect(statSync(dirname(rendezvous.path)).mode & 0o777).toBe(0o700);
    expect(Buffer.byteLength(rendezvous.path)).toBeLessThanOrEqual(100);
  });

  it('expect() settles when every channel has come, with what was said after the token', async () => {
    const expected = rendezvous.expect([1, 4]);
    say(opening(expected.token, 4).subarray(0, 5)).write(opening(expected.token, 4).subarray(5));
    say(opening(expected.token, 1), Buffer.from('hello'));
    const sockets = await expected.sockets;
    expect([...sockets.keys()].sort()).toEqual([1, 4]);
    const [data] = (await once(sockets.get(1)!, 'data')) as [Buffer];
    expect(data.toString('utf8')).toBe('hello');
    for (const socket of sockets.values()) socket.destroy();
  });

  it('expect() makes a token that works once per channel and for no other channel', async () => {
    const expected = rendezvous.expect([1, 2]);
    const first = say(opening(expected.token, 1));
    await once(first, 'connect');
    await once(say(opening(expected.token, 1)), 'close');
    await once(say(opening(expected.token, 3)), 'close');
    const last = say(opening(expected.token, 2));
    const sockets = await expected.sockets;
    await once(say(opening(expected.token, 2)), 'close');
    first.destroy();
    last.destroy();
    for (const socket of sockets.values()) socket.destroy();
  });

  it('openRendezvous() drops connections that know no token or say too little', async () => {
    await once(say(opening('00'.repeat(16), 1)), 'close');
    const short = say(Buffer.from('short'));
    short.end();
    await once(short, 'close');
  });

  it('cancel() rejects with its reason and drops what has come', async () => {
    const expected = rendezvous.expect([1, 2]);
    const reason = new Error('given up');
    const early = say(opening(expected.token, 1));
    await once(early, 'connect');
    expected.cancel(reason);
    await expect(expected.sockets).rejects.toBe(reason);
    await once(early, 'close');
  });

  it('close() rejects what is expected and removes the directory', async () => {
    const other = await openRendezvous();
    const expected = other.expect([1]);
    await Promise.all([other.close(), other.close()]);
    await expect(expected.sockets).rejects.toThrow('closed');
    expect(existsSync(dirname(other.path))).toBe(false);
  });
});

/**
 * Where children connect back: a Unix socket in a private directory. A connection opens with a one-time 128-bit token
 * and the number of the descriptor that it has become in the child; anything else is dropped unread.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { StartError } from '../errors.ts';

/** Bytes that open a connection: the token and one byte for the channel. */
const PREAMBLE_BYTES = 17;
/** A connection that says nothing is dropped: children write their preamble at once. */
const PREAMBLE_TIMEOUT_MS = 5000;
/** Longest socket path in bytes: macOS takes 103, Linux 107. */
const MAX_PATH_BYTES = 100;
/** Starts of many children at once must not be refused. */
const BACKLOG = 1024;

/** A meeting place of one host and its children. */
export interface Rendezvous {
  /** Absolute path of the socket. */
  readonly path: string;
  /** Makes a token that one child may use, once per channel. */
  expect(channels: readonly number[]): Expectation;
  /** Drops what is expected and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/** The connections that one child is to make. */
export interface Expectation {
  /** 32 hex digits. */
  readonly token: string;
  /** Settles when all channels are there. Rejects with the reason given to `cancel`. */
  readonly sockets: Promise<ReadonlyMap<number, Socket>>;
  /** Drops what has come and refuses what would come. Nothing happens once all are there. */
  cancel(reason: unknown): void;
  /** Whether connections are still missing. */
  isOpen(): boolean;
}

/**
 * Opens a socket in a new directory that only this user may enter.
 *
 * @throws StartError `SPAWN_FAILED` when no directory has a path short enough
 */
export async function openRendezvous(): Promise<Rendezvous> {
  const path = join(await privateDirectory(), 's');
  const waiting = new Map<string, Pending>();
  const server = createServer({ allowHalfOpen: true }, (socket) => greet(socket, waiting));
  await listen(server, path);
  server.unref();
  let closing: Promise<void> | undefined;
  return {
    path,
    expect: (channels) => expectChannels(channels, waiting),
    close: () => (closing ??= closeRendezvous(server, path, waiting)),
  };
}

interface Pending {
  readonly missing: Set<number>;
  readonly arrived: Map<number, Socket>;
  readonly resolve: (sockets: ReadonlyMap<number, Socket>) => void;
  readonly cancel: (reason: unknown) => void;
}

function expectChannels(channels: readonly number[], waiting: Map<string, Pending>): Expectation {
  const secret = randomBytes(16);
  const key = secret.toString('latin1');
  const arrived = new Map<number, Socket>();
  const { promise, resolve, reject } = promiseWithResolvers<ReadonlyMap<number, Socket>>();
  // Nobody may be waiting when a start that failed for another reason is cancelled.
  promise.catch(() => undefined);
  const cancel = (reason: unknown): void => {
    if (!waiting.delete(key)) return;
    for (const socket of arrived.values()) socket.destroy();
    reject(reason);
  };
  if (channels.length === 0) resolve(arrived);
  else waiting.set(key, { missing: new Set(channels), arrived, resolve, cancel });
  return { token: secret.toString('hex'), sockets: promise, cancel, isOpen: () => waiting.has(key) };
}

function greet(socket: Socket, waiting: Map<string, Pending>): void {
  // A child may end at any time: its connections then fail, and whoever uses them sees the end or the exit.
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.destroy(), PREAMBLE_TIMEOUT_MS);
  timer.unref();
  const onReadable = (): void => {
    const preamble = socket.read(PREAMBLE_BYTES) as Buffer | null;
    if (preamble === null) return;
    // At the end of input, reading gives what there is.
    if (preamble.length < PREAMBLE_BYTES) {
      socket.destroy();
      return;
    }
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    admit(socket, preamble, waiting);
  };
  const onEnd = (): void => {
    socket.destroy();
  };
  socket.on('readable', onReadable);
  socket.on('end', onEnd);
  socket.on('close', () => clearTimeout(timer));
}

function admit(socket: Socket, preamble: Buffer, waiting: Map<string, Pending>): void {
  const key = preamble.toString('latin1', 0, PREAMBLE_BYTES - 1);
  const channel = preamble.readUInt8(PREAMBLE_BYTES - 1);
  const pending = waiting.get(key);
  if (pending?.missing.delete(channel) !== true) {
    socket.destroy();
    return;
  }
  // From here on the end of one direction closes the other: each channel has one direction of use.
  socket.allowHalfOpen = false;
  pending.arrived.set(channel, socket);
  if (pending.missing.size === 0) {
    waiting.delete(key);
    pending.resolve(pending.arrived);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function closeRendezvous(server: Server, path: string, waiting: Map<string, Pending>): Promise<void> {
  for (const pending of [...waiting.values()]) pending.cancel(new Error('The meeting place of children was closed'));
  server.close();
  await rm(dirname(path), { recursive: true, force: true });
}

async function privateDirectory(): Promise<string> {
  const candidates = [process.env['XDG_RUNTIME_DIR'], tmpdir(), '/tmp'];
  let cause: unknown;
  for (const directory of candidates) {
    if (directory === undefined || Buffer.byteLength(join(directory, 'charmer-XXXXXX', 's')) > MAX_PATH_BYTES) continue;
    try {
      return await mkdtemp(join(directory, 'charmer-'));
    } catch (error) {
      cause = error;
    }
  }
  throw new StartError('SPAWN_FAILED', `No directory for a socket could be made in '${tmpdir()}'`, {
    hint: `Set TMPDIR to a writable directory whose path is shorter than ${MAX_PATH_BYTES - 18} bytes`,
    cause,
  });
}

function promiseWithResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

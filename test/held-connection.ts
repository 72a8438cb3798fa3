import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A listener that proves liveness: a process that connected is alive exactly as long as its connection. */
export interface HeldConnection {
  readonly port: number;
  /** The first connection. */
  readonly connected: Promise<Socket>;
  /** Settles when the first connection ends: its process is gone. */
  readonly gone: Promise<void>;
  close(): void;
}

/** Listens on the loopback interface. */
export async function holdConnection(): Promise<HeldConnection> {
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const gone = connected.then(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.resume();
        socket.on('error', () => undefined);
        socket.once('close', () => resolve());
      }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return { port: (server.address() as AddressInfo).port, connected, gone, close: () => server.close() };
}

/** Counts processes that hold a connection for as long as they live. */
export interface LivingProcesses {
  readonly port: number;
  /** Settles when there is one. */
  some(): Promise<void>;
  /** Settles when none is left. */
  none(): Promise<void>;
  close(): void;
}

/** Listens on the loopback interface for processes that connect when they begin. */
export async function countLivingProcesses(): Promise<LivingProcesses> {
  const sockets = new Set<Socket>();
  let tell: (() => void) | undefined;
  let tellFirst: (() => void) | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    tellFirst?.();
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) tell?.();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    some: () => (sockets.size > 0 ? Promise.resolve() : new Promise((resolve) => (tellFirst = resolve))),
    none: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => (tell = resolve))),
    close: () => server.close(),
  };
}

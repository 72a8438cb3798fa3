import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

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

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A film of the catalogue, as the service that it stands for describes one. */
interface Film {
  readonly id: number;
  readonly title: string;
}

/** A small film catalogue on the loopback interface that answers searches with canned films. */
export interface FilmServer {
  /** Base address for the plugin. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the films of a JSON file by lower-case title. */
export async function startFilmServer(catalogue: string): Promise<FilmServer> {
  const films = JSON.parse(await readFile(catalogue, 'utf8')) as Readonly<Record<string, Film>>;
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams.get('query') ?? '';
    const film = films[query.toLowerCase()];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ results: film === undefined ? [] : [film] }));
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

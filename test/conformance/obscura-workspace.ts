/** The directories, tokens and servers that a recorded case runs among. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import type { Json, RecordedCase } from './obscura-cases.ts';

/** A case's own place on disk. */
export class Workspace {
  readonly tmp: string;
  readonly root: string;
  readonly directory: string;
  readonly #tokens: Record<string, string>;
  readonly #fixtures: string;
  #server: Server | undefined;

  private constructor(fixtures: string, name: string) {
    this.#fixtures = fixtures;
    this.tmp = mkdtempSync(join(realpathSync(tmpdir()), 'charmer-case-'));
    this.root = join(this.tmp, 'plugins');
    this.directory = join(this.root, name);
    const linkRoot = join(this.tmp, 'links');
    this.#tokens = {
      TMP: this.tmp,
      ROOT: this.root,
      DIR: this.directory,
      LINKROOT: linkRoot,
      LINK: join(linkRoot, name),
      RELATIVE: relative(process.cwd(), this.directory),
      PYTHON3_ONLY: join(this.tmp, 'python3-only'),
      CACHE: join(this.tmp, 'cache'),
    };
  }

  /** Makes the plugin of a case, its siblings, its link and its server. */
  static async open(fixtures: string, recorded: RecordedCase): Promise<Workspace> {
    const workspace = new Workspace(fixtures, recorded.plugin?.use ?? 'manifest');
    await workspace.#fill(recorded);
    return workspace;
  }

  /** A text, or every text within a value, with its tokens filled in. */
  fill<T extends Json | undefined>(value: T): T {
    if (typeof value === 'string') return this.#fillText(value) as T;
    if (Array.isArray(value)) return value.map((member) => this.fill(member)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.fill(member)])) as T;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    rmSync(this.tmp, { recursive: true, force: true });
  }

  async #fill(recorded: RecordedCase): Promise<void> {
    const { plugin } = recorded;
    for (const name of [plugin?.use, ...(plugin?.siblings ?? [])]) {
      const source = join(this.#fixtures, 'plugins', name ?? '');
      if (name !== undefined && existsSync(source)) copyWritable(source, join(this.root, name));
    }
    mkdirSync(this.directory, { recursive: true });
    const linkRoot = dirname(this.#tokens['LINK'] ?? '');
    mkdirSync(linkRoot);
    symlinkSync(this.directory, this.#tokens['LINK'] ?? '');
    makePython3Only(this.#tokens['PYTHON3_ONLY'] ?? '');
    if (recorded.server !== undefined) await this.#serve(recorded.server);
    for (const [path, content] of Object.entries(plugin?.files ?? {}))
      writeFixture(join(this.directory, path), this.fill(content));
    for (const [path, mode] of Object.entries(plugin?.modes ?? {}))
      chmodSync(join(this.directory, path), Number.parseInt(mode, 8));
  }

  #fillText(text: string): string {
    return text
      .replaceAll(/\$\{([A-Z0-9_]+)\}/g, (token, name: string) => this.#tokens[name] ?? token)
      .replaceAll(/\$\{(\d+) (.)\}/g, (_token, times: string, letter: string) => letter.repeat(Number(times)));
  }

  async #serve(name: string): Promise<void> {
    const text = readFileSync(join(this.#fixtures, 'replies', `${name}.json`), 'utf8');
    const { replies } = JSON.parse(text) as { readonly replies: readonly CannedReply[] };
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const reply = replies.find((each) => answers(each, url));
      response.writeHead(reply === undefined ? 404 : (reply.status ?? 200), { 'content-type': 'application/json' });
      response.end(
        reply === undefined ? '{}' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#tokens['SERVER'] = `http://127.0.0.1:${address.port}`;
  }
}

/** Fixtures may be kept read-only; a case's own copy is written to and removed. */
function copyWritable(source: string, target: string): void {
  cpSync(source, target, { recursive: true });
  for (const entry of ['.', ...(readdirSync(target, { recursive: true }) as string[])]) {
    const path = join(target, entry);
    chmodSync(path, statSync(path).mode | 0o200);
  }
}

interface CannedReply {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly body?: Json;
}

function answers(reply: CannedReply, url: URL): boolean {
  if (reply.path !== url.pathname) return false;
  return Object.entries(reply.query ?? {}).every(([name, value]) => url.searchParams.get(name) === value);
}

/** Text; `{"base64": …}`; any other object is written as JSON. */
function writeFixture(path: string, content: Json): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  if (typeof content === 'string') writeFileSync(path, content);
  else if (isBase64(content)) writeFileSync(path, Buffer.from(content.base64, 'base64'));
  else writeFileSync(path, JSON.stringify(content));
}

function isBase64(content: Json): content is { base64: string } {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return false;
  return typeof content['base64'] === 'string' && Object.keys(content).length === 1;
}

function makePython3Only(directory: string): void {
  mkdirSync(directory);
  symlinkSync(realInterpreter(), join(directory, 'python3'));
}

let interpreter: string | undefined;

/** The interpreter itself, never a version manager's shim. */
function realInterpreter(): string {
  interpreter ??= execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  return interpreter;
}

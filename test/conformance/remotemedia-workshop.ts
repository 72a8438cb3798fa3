/** What the recorded cases of one RemoteMedia directory share: a host, a cache, the mirror of GitHub, and what was told. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { createHost, type Host, type HostOptions } from '../../src/index.ts';
import type { CaseResult } from './case-result.ts';

/** One recorded case, ready to be run: undefined means passed, a text is the fault. */
export interface RecordedCase {
  readonly id: string;
  /** What must be at hand. */
  readonly needs?: string | undefined;
  run(workshop: Workshop): Promise<string | Skip | undefined>;
}

/** Why a case is not run. */
export class Skip {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A request that the mirror has seen. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Longest that one case may take, in milliseconds: an environment may have to be built. */
const CASE_TIMEOUT_MS = 400_000;

/** The shared things of one run over one directory. */
export class Workshop {
  readonly directory: string;
  readonly cacheDir: string;
  readonly requests: SeenRequest[] = [];
  /** Warnings of hosts since the last `forget()`. */
  readonly warnings: string[] = [];
  readonly #hosts = new Set<Host>();
  #shared: Host | undefined;
  #mirror: Server | undefined;
  #mirrorFolder: string;

  constructor(directory: string) {
    this.directory = directory;
    this.cacheDir = mkdtempSync(join(tmpdir(), 'charmer-cases-'));
    this.#mirrorFolder = join(directory, 'github-mock');
  }

  /** The host that cases share. */
  get host(): Host {
    this.#shared ??= this.newHost();
    return this.#shared;
  }

  newHost(options: HostOptions = {}): Host {
    const host = createHost({ cacheDir: this.cacheDir, ...options });
    host.on('warning', ({ message }) => this.warnings.push(message));
    this.#hosts.add(host);
    return host;
  }

  /** The variables that lead to the mirror, which is started for it. */
  async mirrorVariables(folder: string = join(this.directory, 'github-mock')): Promise<Record<string, string>> {
    this.#mirrorFolder = folder;
    this.#mirror ??= await this.#startMirror();
    const base = `http://127.0.0.1:${(this.#mirror.address() as AddressInfo).port}`;
    return Object.fromEntries(
      ['API', 'RAW', 'CODELOAD', 'RELEASE'].map((name) => [
        `REMOTEMEDIA_GITHUB_${name}_BASE`,
        `${base}/${name.toLowerCase()}`,
      ]),
    );
  }

  /** The variables under which installers that are found on PATH leave a trace of their starts. */
  watchPrograms(): Record<string, string> {
    const folder = join(this.cacheDir, 'watched');
    if (!existsSync(folder)) {
      mkdirSync(folder);
      for (const name of ['uv', 'pip']) this.#watchProgram(folder, name);
    }
    return { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
  }

  /** Names of the watched programs that were started, in order. */
  startedPrograms(programs: readonly string[]): readonly string[] {
    const file = join(this.cacheDir, 'watched', 'starts');
    const starts = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    return starts.filter((name) => programs.includes(name));
  }

  #watchProgram(folder: string, name: string): void {
    const directories = (process.env['PATH'] ?? '').split(delimiter);
    const real = directories.map((directory) => join(directory, name)).find((file) => existsSync(file));
    if (real === undefined) return;
    const script = `#!/bin/sh\necho ${name} >> '${join(folder, 'starts')}'\nexec '${real}' "$@"\n`;
    writeFileSync(join(folder, name), script, { mode: 0o755 });
  }

  /** Runs one case within bounds, whatever it throws. */
  async run(recorded: RecordedCase): Promise<CaseResult> {
    const { id } = recorded;
    this.warnings.length = 0;
    this.requests.length = 0;
    try {
      const fault = await within(CASE_TIMEOUT_MS, recorded.run(this));
      if (fault instanceof Skip) return { id, outcome: 'skipped', reason: fault.reason };
      return fault === undefined ? { id, outcome: 'passed' } : { id, outcome: 'failed', reason: fault };
    } catch (error) {
      const unreachable = recorded.needs === 'installer' ? reasonOfNoNetwork(error) : undefined;
      if (unreachable !== undefined) return { id, outcome: 'skipped', reason: unreachable };
      return { id, outcome: 'failed', reason: `the case could not be run: ${describe(error)}` };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => host.close()));
    this.#mirror?.closeAllConnections();
    this.#mirror?.close();
    rmSync(this.cacheDir, { recursive: true, force: true });
  }

  async #startMirror(): Promise<Server> {
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '/');
      this.requests.push({ path, headers: request.headers });
      const file = join(this.#mirrorFolder, path);
      if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file));
      else response.writeHead(404).end('not found');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }
}

/** Runs with other environment variables of this process; the host reads them when a session is created. */
export async function withVariables<T>(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
}

/** Rejects when `work` takes longer than a case may. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The JSON of a file of the directory, or undefined when there is none. */
export function readJson(directory: string, name: string): unknown {
  const file = join(directory, name);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Names of the entries of a directory, or nothing when there is none. */
export function entriesOf(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** An error in one line, with what it carries. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, details, hint } = error as { code?: unknown; details?: unknown; hint?: unknown };
  return `${error.name} ${String(code)} ${error.message} ${JSON.stringify(details) ?? ''} ${String(hint)}`.slice(
    0,
    800,
  );
}

function reasonOfNoNetwork(error: unknown): string | undefined {
  const text = describe(error);
  return /DEPENDENCIES_FAILED/.test(text) && /dns|network|resolve host|connect|offline|timed out/i.test(text)
    ? 'no package index can be reached from here'
    : undefined;
}

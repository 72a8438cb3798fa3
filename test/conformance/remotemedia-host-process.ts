/** A host in a process of its own, driven line by line: for scenarios with several hosts, or one that is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One such process. */
export class HostProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(child: ChildProcess, reader: Interface) {
    this.#child = child;
    this.#reader = reader;
    this.#lines = reader[Symbol.asyncIterator]();
  }

  static async start(cacheDir: string): Promise<HostProcess> {
    const program = fileURLToPath(new URL('remotemedia-host-main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', program, cacheDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    await once(child, 'spawn');
    if (child.stdout === null) throw new TypeError('a child with a pipe has one');
    return new HostProcess(child, createInterface({ input: child.stdout }));
  }

  /** Opens a session and returns the processes of its nodes. */
  async open(manifest: string | object): Promise<readonly number[]> {
    return (await this.#ask({ do: 'open', manifest })) as number[];
  }

  /** Opens a session when there is none, sends a text, and returns the next output. */
  async run(manifest: string | object, text: string): Promise<unknown> {
    return this.#ask({ do: 'run', manifest, text });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
    this.#reader.close();
  }

  async #ask(question: object): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the host process ended before it answered');
    const { value, error } = JSON.parse(line.value) as { value?: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }
}

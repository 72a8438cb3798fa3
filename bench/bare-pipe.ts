import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import { join } from 'node:path';

import type { Contender } from './measure.ts';
import type { Setting } from './setting.ts';

/** A contender with a process of its own. */
export interface BarePipe extends Contender {
  stop(): void;
}

/** The floor of any answer of one size: a Python process that reads so many bytes from a pipe and writes them back. */
export function bareEcho({ python, root }: Setting, bytes: number, repeat: number): BarePipe {
  const child = bareProgram(python, [join(root, 'bench/programs/block_echo.py'), String(bytes)]);
  const block = Buffer.alloc(bytes, 7);
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let received = 0;
      const onData = (chunk: Buffer): void => {
        received += chunk.length;
        if (received < bytes) return;
        child.stdout.off('data', onData);
        if (received === bytes && chunk.at(-1) === 7) resolve();
        else reject(new Error(`wrong result: got ${received} bytes, expected ${bytes}`));
      };
      child.stdout.on('data', onData);
      child.stdin.write(block);
    });
  return { name: bareEchoName(bytes), repeat, run, stop: () => void child.kill() };
}

/** What the floor of one size is called in reports. */
export function bareEchoName(bytes: number): string {
  return `bare pipe echo, ${bytes} B`;
}

/** The floor of a stream of small items: numbers as lines over a pipe, split and read here. */
export function bareLines({ python, root }: Setting, count: number, repeat: number): BarePipe {
  const child = bareProgram(python, [join(root, 'bench/programs/lines.py')]);
  child.stdout.setEncoding('utf8');
  const run = async (): Promise<void> => {
    const parts: string[] = [];
    await new Promise<void>((resolve) => {
      const onData = (part: string): void => {
        parts.push(part);
        if (!part.endsWith('\n\n') && !(part === '\n' && parts.at(-2)?.endsWith('\n') === true)) return;
        child.stdout.off('data', onData);
        resolve();
      };
      child.stdout.on('data', onData);
      child.stdin.write(`${count}\n`);
    });
    const numbers = parts.join('').trimEnd().split('\n').map(Number);
    if (numbers.length !== count || numbers.at(-1) !== count - 1) throw new Error('wrong result: numbers are missing');
  };
  return { name: `bare pipe, ${count} numbers as lines`, repeat, run, stop: () => void child.kill() };
}

function bareProgram(python: string, words: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(python, ['-I', '-S', ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
}

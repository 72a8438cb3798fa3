import type { Readable } from 'node:stream';
import { collectGarbage } from './collect-garbage.ts';

/** Bytes kept of one stream. */
const DEFAULT_MAX_BYTES = 64 * 1024;
/** Lines given of one stream. */
const DEFAULT_MAX_LINES = 200;
/** A longer line is handed on in pieces, so that a stream without line ends stays bounded. */
const MAX_LINE_BYTES = 16 * 1024;
const NEWLINE = 0x0a;
/** A flood is thrown away, and so are its buffers after so many bytes. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

/** How much to keep, and whom to tell. */
export interface OutputTailOptions {
  /** What the stream is, for whoever hears its lines, for example `stderr`. @default '' */
  readonly label?: string;
  /** @default 65536 */
  readonly maxBytes?: number;
  /** @default 200 */
  readonly maxLines?: number;
  /** Hears every line as it comes; a very long one in pieces of 16 KiB. */
  readonly onLine?: ((line: string, label: string) => void) | undefined;
}

/** The end of what a process wrote. */
export interface OutputTail {
  readonly label: string;
  /** The last lines, oldest first; the first says so when something before it was cut. */
  readonly lines: readonly string[];
  /** What was kept as one text, with a mark in front when something before it was cut. */
  readonly text: string;
  /** Bytes written so far, kept or not. */
  readonly bytes: number;
  /** Settles when the stream has ended or broken. Never rejects. */
  readonly ended: Promise<void>;
}

/** Reads a stream to its end, so that its writer never waits, and keeps the last of it. */
export function tailOutput(stream: Readable, options: OutputTailOptions = {}): OutputTail {
  return new StreamTail(stream, options);
}

class StreamTail implements OutputTail {
  readonly label: string;
  readonly ended: Promise<void>;
  readonly #maxBytes: number;
  readonly #maxLines: number;
  readonly #onLine: OutputTailOptions['onLine'];
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #sinceCollected = 0;
  #unfinished: Buffer[] = [];
  #unfinishedBytes = 0;
  #lines: readonly string[] | undefined = [];
  bytes = 0;

  constructor(stream: Readable, options: OutputTailOptions) {
    this.label = options.label ?? '';
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#maxLines = options.maxLines ?? DEFAULT_MAX_LINES;
    this.#onLine = options.onLine;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    this.ended = new Promise((resolve) => {
      const finish = (): void => {
        this.#finishLine();
        resolve();
      };
      if (stream.destroyed || stream.readableEnded) finish();
      stream.once('end', finish).once('close', finish);
      stream.on('error', finish);
    });
  }

  get lines(): readonly string[] {
    return (this.#lines ??= this.#cutLines());
  }

  get text(): string {
    const joined = Buffer.concat(this.#kept).subarray(-this.#maxBytes);
    const cutBytes = this.bytes - joined.length;
    return cutBytes > 0
      ? `[${cutBytes} bytes before this were cut]\n${joined.toString('utf8')}`
      : joined.toString('utf8');
  }

  #take(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#sinceCollected += chunk.length;
    if (this.#sinceCollected > COLLECT_EVERY_BYTES) {
      this.#sinceCollected = 0;
      collectGarbage();
    }
    this.#lines = undefined;
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    for (let first = this.#kept[0]; first && this.#keptBytes - first.length >= this.#maxBytes; first = this.#kept[0]) {
      this.#keptBytes -= first.length;
      this.#kept.shift();
    }
    if (this.#onLine !== undefined) this.#tell(chunk);
  }

  #tell(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#unfinished.push(chunk.subarray(start, end));
      this.#finishLine(true);
      start = end + 1;
    }
    for (; start < chunk.length; start += MAX_LINE_BYTES) {
      const piece = chunk.subarray(start, start + MAX_LINE_BYTES);
      this.#unfinished.push(piece);
      this.#unfinishedBytes += piece.length;
      if (this.#unfinishedBytes >= MAX_LINE_BYTES) this.#finishLine();
    }
  }

  #finishLine(isWhole = false): void {
    if (this.#unfinished.length === 0 && !isWhole) return;
    const line = Buffer.concat(this.#unfinished).toString('utf8');
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    this.#onLine?.(line.endsWith('\r') ? line.slice(0, -1) : line, this.label);
  }

  #cutLines(): readonly string[] {
    const joined = Buffer.concat(this.#kept);
    const from = Math.max(0, joined.length - this.#maxBytes);
    const text = joined.subarray(from).toString('utf8');
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split(/\r?\n/);
    let cutBytes = this.bytes - (joined.length - from);
    // What a cut left of a line says nothing by itself, unless it is all there is.
    if (cutBytes > 0 && lines.length > 1) cutBytes += Buffer.byteLength(lines.shift() ?? '') + 1;
    const given = lines.slice(-this.#maxLines);
    for (const line of lines.slice(0, lines.length - given.length)) cutBytes += Buffer.byteLength(line) + 1;
    if (this.bytes === 0) return [];
    return cutBytes > 0 ? [`[${cutBytes} bytes before this were cut]`, ...given] : given;
  }
}

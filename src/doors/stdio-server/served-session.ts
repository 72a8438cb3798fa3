/**
 * One session of a client: its outputs go out as they come, within the client's credit.
 *
 * Invariants: outputs keep their order; `end` is the last thing that is said of a session; a client that reads nothing
 * stops its pipeline and nobody else's.
 */
import type { PipelineOutput, PipelineSession } from '../../pipeline/pipeline-session.ts';
import { encodeRuntimeData } from '../../runtime-codec.ts';
import { errorFacts } from './error-facts.ts';
import type { Message } from './frames.ts';

/** Outputs that may travel without having been taken. */
const WINDOW_ITEMS = 64;
/** Bytes of them; one output always may, however large. */
const WINDOW_BYTES = 16 * 2 ** 20;

/** What a client learns of a session beside its outputs. */
const EVENTS = ['progress', 'warning', 'output', 'node-ended'] as const;

/** A session and what of it is under way to the client. */
export class ServedSession {
  readonly session: PipelineSession;
  readonly #number: number;
  readonly #write: (message: Message) => number;
  /** Sizes of the outputs that the client has not taken, oldest first. */
  readonly #untaken: number[] = [];
  #untakenBytes = 0;
  #onCredit: (() => void) | undefined;
  #isClosed = false;

  /** @param write Writes a message and gives its size in bytes */
  constructor(session: PipelineSession, number: number, write: (message: Message) => number) {
    this.session = session;
    this.#number = number;
    this.#write = write;
    for (const name of EVENTS) {
      session.on(name, (event) => void write({ kind: 'event', session: number, name, event: { ...event } }));
    }
    // What answers no input has no place among the outputs.
    session.on('error', ({ node, turn, error }) => {
      if (turn === 0)
        write({ kind: 'event', session: number, name: 'error', event: { node, error: errorFacts(error) } });
    });
  }

  /** Sends every output until the session has ended. Settles then. */
  async pump(): Promise<void> {
    for await (const output of this.session) {
      await this.#room();
      if (this.#isClosed) break;
      const size = this.#write(outputMessage(this.#number, output));
      this.#untaken.push(size);
      this.#untakenBytes += size;
    }
    this.#write({ kind: 'end', session: this.#number });
  }

  /** The client has taken outputs. */
  grant(items: number): void {
    for (const size of this.#untaken.splice(0, Math.max(0, items))) this.#untakenBytes -= size;
    this.#onCredit?.();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onCredit?.();
    await this.session.close();
  }

  /** Waits until one more output may travel, or the session is closed. */
  async #room(): Promise<void> {
    while (!this.#isClosed && (this.#untaken.length >= WINDOW_ITEMS || this.#untakenBytes >= WINDOW_BYTES)) {
      await new Promise<void>((resolve) => (this.#onCredit = resolve));
      this.#onCredit = undefined;
    }
  }
}

function outputMessage(session: number, { node, turn, data, error, kind: type }: PipelineOutput): Message {
  const what = data === undefined ? { error: errorFacts(error) } : { data: encodeRuntimeData(data) };
  return { kind: 'output', session, node, turn, type, ...what };
}

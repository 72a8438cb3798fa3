/** The streaming session of the original's Node package, over ours (spec 8.2). */
import {
  createHost,
  type Host,
  type HostOptions,
  type PipelineSession,
  type RuntimeData,
  type SessionOptions,
} from '../../index.ts';
import { CallError } from '../../errors.ts';
import type { PipelineOutput } from '../../pipeline/pipeline-session.ts';
import { type AttachedSession, attachInproc } from './control.ts';

/** Options of `createStreamingSession`: those of a session, and where it runs. */
export interface StreamingSessionOptions extends SessionOptions {
  /** Runs the session; stays open when the session closes. @default a host of its own */
  readonly host?: Host;
  /** Options of that host of its own. */
  readonly hostOptions?: HostOptions;
}

/** The three streams of the original: everything that is neither audio nor video is data. */
export type OutputKind = 'audio' | 'video' | 'data';

/** One output with the stream that it is on. */
export interface StreamOutput {
  readonly kind: OutputKind;
  readonly data: RuntimeData;
  readonly node: string;
  readonly turn: number;
}

/**
 * Starts a pipeline from the text of its manifest.
 *
 * @param manifestJson JSON text, or the path of a manifest, whose directory then is the base of relative plugins (R11).
 * @throws PipelineError `PIPELINE_INVALID`, `GRAPH_CYCLE`, `NODE_UNKNOWN`, and whatever starting a node throws
 */
export async function createStreamingSession(
  manifestJson: string | object,
  options: StreamingSessionOptions = {},
): Promise<StreamingSession> {
  const { host, hostOptions, ...sessionOptions } = options;
  const own = host === undefined ? createHost(hostOptions) : undefined;
  try {
    // An error at its place among the outputs is what the readers below turn into a rejection.
    const session = await (host ?? own ?? createHost()).session(manifestJson, { errors: 'items', ...sessionOptions });
    return new StreamingSession(session, own);
  } catch (error) {
    await own?.close();
    throw error;
  }
}

/**
 * A running pipeline with the original's verbs. Outputs keep their order across kinds; a reader of one kind leaves the
 * others for their own readers. A turn that failed rejects the next reader, whatever it reads (R42).
 */
export class StreamingSession implements AsyncIterable<StreamOutput>, AsyncDisposable {
  readonly #session: PipelineSession;
  readonly #ownHost: Host | undefined;
  /** Outputs that nobody has asked for yet, oldest first. */
  #waiting: StreamOutput[] = [];
  /** One reader at a time takes from the session; the others look at what it leaves. */
  #reading: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(session: PipelineSession, ownHost?: Host) {
    this.#session = session;
    this.#ownHost = ownHost;
  }

  get sessionId(): string {
    return this.#session.id;
  }

  /** The session underneath, for everything that the original does not have. */
  get session(): PipelineSession {
    return this.#session;
  }

  /** @throws CallError `HOST_CLOSED` after `signalInputComplete()` or `close()` */
  sendInput(data: unknown): Promise<void> {
    return this.#session.send(data);
  }

  /** The next output that is neither audio nor video; null once the session has ended and everything was read (R84). */
  async recvData(): Promise<RuntimeData | null> {
    return (await this.#next('data'))?.data ?? null;
  }

  async recvAudio(): Promise<RuntimeData | null> {
    return (await this.#next('audio'))?.data ?? null;
  }

  async recvVideo(): Promise<RuntimeData | null> {
    return (await this.#next('video'))?.data ?? null;
  }

  /** The next output of any kind. */
  recvOutput(): Promise<StreamOutput | null> {
    return this.#next(undefined);
  }

  /** R85: no more inputs; what is under way still comes out. */
  signalInputComplete(): Promise<void> {
    return this.#session.inputComplete();
  }

  /** Idempotent, bounded by five seconds (R79, R86). */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session.close();
    await this.#ownHost?.close();
  }

  /** A client of the control bus. */
  control(): AttachedSession {
    return attachInproc(this);
  }

  /** @throws CallError `HOST_CLOSED` when the session is closed */
  assertOpen(): void {
    if (this.#isClosed) throw new CallError('HOST_CLOSED', `Session '${this.sessionId}' is closed`);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamOutput, void, undefined> {
    for (let output = await this.#next(undefined); output !== null; output = await this.#next(undefined)) yield output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #next(kind: OutputKind | undefined): Promise<StreamOutput | null> {
    for (;;) {
      const found = this.#take(kind);
      if (found !== undefined) return found;
      // What an earlier reader is about to leave may be what this one wants.
      const turn = this.#reading;
      let done = (): void => undefined;
      this.#reading = new Promise((resolve) => (done = resolve));
      await turn;
      try {
        const left = this.#take(kind);
        if (left !== undefined) return left;
        const output = await this.#session.receive();
        if (output === undefined) return null;
        this.#waiting.push(toStream(output));
      } finally {
        done();
      }
    }
  }

  #take(kind: OutputKind | undefined): StreamOutput | undefined {
    const at = kind === undefined ? 0 : this.#waiting.findIndex((output) => output.kind === kind);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }
}

/** @throws the error of a turn that failed */
function toStream(output: PipelineOutput): StreamOutput {
  const { node, turn, data, error } = output;
  if (error !== undefined) throw error;
  if (data === undefined) throw new TypeError('An output is a value or an error');
  return { kind: data.type === 'audio' || data.type === 'video' ? data.type : 'data', data, node, turn };
}

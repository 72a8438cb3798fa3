/**
 * The protocol between `charmer serve --stdio` and the Python module `remotemedia.runtime`, version 1.
 *
 * Frames travel in both directions over the host's standard input and output: `u32 rest · u32 text · JSON ·
 * attachments`, little-endian; `rest` counts everything behind itself, `text` the JSON, which is one message: an
 * object with a `kind`. In its values, objects with one key are tags: `{"$bytes": [start, length]}` among the
 * attachments, `{"$int": digits}`, `{"$float": "nan" | "inf" | "-inf" | "-0.0"}`; keys that begin with `$` themselves
 * get one more. Both sides begin with `hello {protocol, …}`; who does not know the other's number says so and ends.
 * The client asks with `{kind, id, …}`; each request is answered once, in any order, by `reply {id, value}` or
 * `failure {id, error}`; `abort {id}` gives one up. `open` takes a session number of the client's choice, a manifest
 * and options; `send complete stats close publish state cancel_turn call subscribe intercept stream` name the session.
 * The last three give a handle: `next` takes its next value (`{value}`, `{lagged}`, `{done}`), `decide` answers an
 * intercepted one, `release` lets go. Unasked come `output {session, node, turn, type, data | error}`, `end {session}`
 * and `event {session?, name, event}`. Of one session at most 64 outputs, and beyond the first at most 16 MiB, travel
 * ahead of `credit {session, items}`. The host ends with its input, and every session, plugin and process with it.
 */
import type { Readable, Writable } from 'node:stream';

import { ProtocolError } from '../errors.ts';
import type { Host } from '../index.ts';
import { Connection, PROTOCOL } from './stdio-server/connection.ts';
import { errorFacts } from './stdio-server/error-facts.ts';
import { encodeFrame, FrameReader, type Message } from './stdio-server/frames.ts';

/** Where a client is, and what is said to it first. */
export interface StdioClient {
  readonly input: Readable;
  readonly output: Writable;
  /** Version of Charmer, told in the hello. */
  readonly version: string;
  /** Aborting ends the conversation. */
  readonly signal?: AbortSignal;
}

/**
 * Serves one client until its input ends, its output breaks, or `signal` is aborted. The host stays the caller's to close.
 *
 * @throws ProtocolError `FRAME_MALFORMED`, `FRAME_TOO_LARGE`, `MESSAGE_UNEXPECTED`; the client is told before
 */
export async function serveStdio(host: Host, client: StdioClient): Promise<void> {
  const { input, output, version, signal } = client;
  const stop = (): void => void input.destroy();
  // A client that is gone does not read; that is no error of ours, and the end of its input follows.
  output.on('error', stop);
  signal?.addEventListener('abort', stop, { once: true });
  const connection = new Connection(host, write);
  const reader = new FrameReader();
  try {
    write({ kind: 'hello', protocol: PROTOCOL, charmer: version, node: process.versions.node });
    for await (const chunk of input) {
      for (const message of reader.push(chunk as Uint8Array)) connection.receive(message);
    }
    if (reader.isInside) throw new ProtocolError('FRAME_MALFORMED', 'The input of the client ends inside of a frame');
  } catch (error) {
    if (input.destroyed && !(error instanceof ProtocolError)) return;
    write({ kind: 'fatal', error: errorFacts(error) });
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }

  function write(message: Message): number {
    const { parts, byteLength } = encodeFrame(message);
    if (output.destroyed) return byteLength;
    output.cork();
    for (const part of parts) output.write(part);
    output.uncork();
    return byteLength;
  }
}

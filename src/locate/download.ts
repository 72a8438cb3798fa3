/** HTTP requests for remote plugins: bounded in time and size, and careful with the token. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

import { LocateError } from '../errors.ts';
import { maySeeToken } from './github-bases.ts';

/** The original's limit for one request. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Redirects followed for one request. */
const MAX_REDIRECTS = 5;
/** Largest archive that is fetched; what it may unpack to is limited elsewhere. */
const MAX_ARCHIVE_BYTES = 512 * 1024 * 1024;
/** Largest text that is fetched: a manifest or the answer of an interface. */
const MAX_TEXT_BYTES = 1024 * 1024;
/** How much of an unexpected answer an error keeps. */
const MAX_ERROR_BODY = 500;

/** Options of every request. */
export interface RequestOptions {
  /** Sent to GitHub's own hosts only, also after redirects (R26). */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** ETag of what is there already. */
  readonly etag?: string | undefined;
}

/** A text, or the status that came in its place. */
export type TextAnswer = { readonly bytes: Uint8Array } | { readonly status: number; readonly error: LocateError };

/** An archive that was fetched, or word that it is what is there already. */
export type ArchiveAnswer =
  | { readonly kind: 'fetched'; readonly sha256: string; readonly etag: string | undefined }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly status: number; readonly error: LocateError };

/**
 * Fetches a small text.
 *
 * @throws LocateError `DOWNLOAD_FAILED` when there is no answer at all
 */
export async function fetchText(address: string, options: RequestOptions): Promise<TextAnswer> {
  const response = await request(address, options);
  if (!response.ok) return { status: response.status, error: await statusError(address, response) };
  const pieces: Uint8Array[] = [];
  await read(response, { address, maxBytes: MAX_TEXT_BYTES }, (piece) => void pieces.push(piece));
  return { bytes: Buffer.concat(pieces) };
}

/**
 * Fetches an archive into a file and hashes it on the way.
 *
 * @throws LocateError `DOWNLOAD_FAILED` when there is no answer at all, or it breaks off
 */
export async function fetchArchive(address: string, file: string, options: RequestOptions): Promise<ArchiveAnswer> {
  const response = await request(address, options);
  if (response.status === 304 && options.etag !== undefined) return { kind: 'unchanged' };
  if (!response.ok) return { kind: 'refused', status: response.status, error: await statusError(address, response) };
  const hash = createHash('sha256');
  const output = createWriteStream(file);
  try {
    await read(response, { address, maxBytes: MAX_ARCHIVE_BYTES }, async (piece) => {
      hash.update(piece);
      if (!output.write(piece)) await new Promise<void>((resolve) => output.once('drain', () => resolve()));
    });
  } finally {
    output.end();
    await finished(output);
  }
  return { kind: 'fetched', sha256: hash.digest('hex'), etag: response.headers.get('etag') ?? undefined };
}

async function request(address: string, options: RequestOptions): Promise<Response> {
  const deadline = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  let url = new URL(address);
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(url, options, signal);
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (location === null) return response;
    await response.body?.cancel();
    if (redirects === MAX_REDIRECTS) throw failed(address, `was redirected more than ${MAX_REDIRECTS} times`);
    const next = new URL(location, url);
    if (url.protocol === 'https:' && next.protocol !== 'https:') {
      throw failed(address, `was redirected to '${next.origin}', which is not encrypted`);
    }
    url = next;
  }
}

async function send(url: URL, options: RequestOptions, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'user-agent': 'charmer plugin-resolver' };
  if (options.token !== undefined && maySeeToken(url)) headers['authorization'] = `Bearer ${options.token}`;
  if (options.etag !== undefined) headers['if-none-match'] = options.etag;
  try {
    return await fetch(url, { headers, signal, redirect: 'manual' });
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (signal.aborted) throw failed(url.href, `did not answer within ${REQUEST_TIMEOUT_MS} ms`, cause);
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw failed(url.href, `cannot be reached: ${reason.split('\n')[0] ?? ''}`, cause);
  }
}

/** Hands on the body piece by piece, up to a limit. */
async function read(
  response: Response,
  { address, maxBytes }: { address: string; maxBytes: number },
  take: (piece: Uint8Array) => Promise<void> | void,
): Promise<void> {
  if (response.body === null) return;
  let bytes = 0;
  try {
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > maxBytes) throw failed(address, `has more than ${maxBytes} bytes`);
      await take(piece);
    }
  } catch (cause) {
    if (cause instanceof LocateError) throw cause;
    throw failed(address, 'broke off', cause);
  }
}

async function statusError(url: string, response: Response): Promise<LocateError> {
  const body = (await response.text().catch(() => '')).slice(0, MAX_ERROR_BODY);
  const { status } = response;
  const isLimited = status === 403 || status === 429;
  return new LocateError('DOWNLOAD_FAILED', `'${url}' answered with status ${status}, expected 200`, {
    hint: isLimited ? 'Set GITHUB_TOKEN: anonymous requests are limited' : undefined,
    details: { kind: 'HttpStatus', url, status, body },
  });
}

function failed(url: string, state: string, cause?: unknown): LocateError {
  return new LocateError('DOWNLOAD_FAILED', `'${url}' ${state}`, {
    cause,
    hint: 'Check the network; a plugin that was fetched before works offline',
    details: { kind: 'Http', url },
  });
}

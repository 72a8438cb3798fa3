/** One client's conversation: requests in, answers and outputs out. Knows no descriptors. */
import { CallError, ProtocolError } from '../../errors.ts';
import type { Host, SessionOptions } from '../../index.ts';
import type { ControlSession } from '../../pipeline/control-session.ts';
import * as verbs from './control-verbs.ts';
import { errorFacts } from './error-facts.ts';
import { flagField, numberField, objectField, optionalText, textField } from './fields.ts';
import type { Message } from './frames.ts';
import { ServedSession } from './served-session.ts';

/** Number of the protocol; both sides say theirs first. */
export const PROTOCOL = 1;

type Verb = (message: Message, signal: AbortSignal) => unknown;

/** The sessions of one client, and its requests under way. */
export class Connection {
  readonly #host: Host;
  readonly #write: (message: Message) => number;
  readonly #sessions = new Map<number, ServedSession>();
  readonly #handles = new Map<number, verbs.Taken>();
  readonly #running = new Map<number, AbortController>();
  readonly #verbs: Readonly<Record<string, Verb>>;
  #handle = 0;
  #isGreeted = false;

  /** @param write Writes a message and gives its size in bytes */
  constructor(host: Host, write: (message: Message) => number) {
    this.#host = host;
    this.#write = write;
    this.#verbs = this.#table();
    host.on('progress', (event) => void write({ kind: 'event', name: 'progress', event: { ...event } }));
    host.on('warning', ({ plugin, message }) => {
      write({ kind: 'event', name: 'warning', event: { plugin, message } });
    });
  }

  /**
   * Takes one message of the client. Requests are answered when they are done, in any order.
   *
   * @throws ProtocolError `MESSAGE_UNEXPECTED` for a client that does not begin with a hello of our protocol
   */
  receive(message: Message): void {
    if (!this.#isGreeted) return this.#greet(message);
    if (message.kind === 'credit')
      this.#sessions.get(numberField(message, 'session'))?.grant(numberField(message, 'items'));
    else if (message.kind === 'abort') this.#running.get(numberField(message, 'id'))?.abort(givenUp());
    else if (message.kind === 'release' && message['id'] === undefined) this.#release(message);
    else void this.#answer(message, numberField(message, 'id'));
  }

  #greet(message: Message): void {
    const { protocol } = message;
    if (message.kind !== 'hello' || protocol !== PROTOCOL) {
      const said = message.kind === 'hello' ? `speaks protocol ${String(protocol)}` : `begins with '${message.kind}'`;
      const hint = 'Update the side that is older: both come with the same release of Charmer.';
      throw new ProtocolError('MESSAGE_UNEXPECTED', `The client ${said}, a hello of protocol ${PROTOCOL} is expected`, {
        hint,
      });
    }
    this.#isGreeted = true;
  }

  async #answer(message: Message, id: number): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const verb = Object.hasOwn(this.#verbs, message.kind) ? this.#verbs[message.kind] : undefined;
      if (verb === undefined) throw new ProtocolError('MESSAGE_UNEXPECTED', `There is no request '${message.kind}'`);
      const value = await verb(message, abort.signal);
      this.#write({ kind: 'reply', id, value: value ?? null });
    } catch (error) {
      this.#write({ kind: 'failure', id, error: errorFacts(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #table(): Readonly<Record<string, Verb>> {
    const served = (message: Message): ServedSession => this.#session(message);
    const control = (message: Message): ControlSession => served(message).session.control(verbs.controlName(message));
    return {
      open: (message, signal) => this.#open(message, signal),
      send: (message) => served(message).session.send(message['data'], sendTarget(message)),
      complete: (message) => served(message).session.inputComplete(),
      stats: (message) => served(message).session.stats(),
      close: (message) => this.#close(message),
      publish: (message) => verbs.publish(control(message), message),
      state: (message) => verbs.setState(control(message), message),
      cancel_turn: (message) => verbs.cancelTurn(control(message), message),
      call: (message, signal) => verbs.call(control(message), message, signal),
      subscribe: (message) => this.#hold(verbs.subscribe(control(message), message)),
      intercept: (message) => this.#hold(verbs.intercept(control(message), message)),
      stream: (message) => this.#hold(verbs.stream(control(message), message)),
      next: (message) => this.#taken(message).next(),
      decide: (message) => this.#taken(message).decide?.(message),
      release: (message) => this.#release(message),
    };
  }

  async #open(message: Message, signal: AbortSignal): Promise<unknown> {
    const number = numberField(message, 'session');
    if (this.#sessions.has(number)) throw new CallError('ARGUMENT_INVALID', `There is a session ${number} already`);
    const { manifest } = message;
    const isManifest = typeof manifest === 'string' || (typeof manifest === 'object' && manifest !== null);
    if (!isManifest) throw new CallError('ARGUMENT_INVALID', 'A manifest is a text or an object');
    const session = await this.#host.session(manifest, { ...sessionOptions(message), errors: 'items', signal });
    const served = new ServedSession(session, number, this.#write);
    this.#sessions.set(number, served);
    // The answer goes first: outputs come from inputs, and nobody has sent one yet.
    void served.pump();
    return { session_id: session.id, warnings: session.warnings };
  }

  async #close(message: Message): Promise<void> {
    const served = this.#sessions.get(numberField(message, 'session'));
    await served?.close();
    this.#sessions.delete(numberField(message, 'session'));
  }

  #session(message: Message): ServedSession {
    const number = numberField(message, 'session');
    const found = this.#sessions.get(number);
    if (found === undefined) throw new CallError('HOST_CLOSED', `There is no session ${number}, or it is closed`);
    return found;
  }

  #hold(taken: verbs.Taken): { readonly handle: number } {
    this.#handle += 1;
    this.#handles.set(this.#handle, taken);
    return { handle: this.#handle };
  }

  #taken(message: Message): verbs.Taken {
    const handle = numberField(message, 'handle');
    const found = this.#handles.get(handle);
    if (found === undefined) throw new CallError('HOST_CLOSED', `There is no handle ${handle}, or it is released`);
    return found;
  }

  #release(message: Message): undefined {
    const handle = numberField(message, 'handle');
    this.#handles.get(handle)?.release();
    this.#handles.delete(handle);
  }
}

function sendTarget(message: Message): { node?: string; port?: string } {
  const node = optionalText(message, 'node');
  const port = optionalText(message, 'port');
  return { ...(node !== undefined && { node }), ...(port !== undefined && { port }) };
}

type OptionReader = readonly [name: keyof SessionOptions, read: (options: Message, name: string) => unknown];

/** The options of a session that a client may give, by their names in Python. */
const OPTIONS: Readonly<Record<string, OptionReader>> = {
  base_dir: ['baseDir', textField],
  env: ['env', objectField],
  node_timeout_ms: ['nodeTimeoutMs', numberField],
  ready_timeout_ms: ['readyTimeoutMs', numberField],
  refresh: ['refresh', flagField],
  restart: ['restart', flagField],
  strict: ['strict', flagField],
};

/** @throws CallError `ARGUMENT_INVALID` for an option that there is not, or that is not what it must be */
function sessionOptions(message: Message): SessionOptions {
  const given: Message = { ...objectField(message, 'options'), kind: 'open' };
  const options: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (name === 'kind') continue;
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (option === undefined) throw new CallError('ARGUMENT_INVALID', `There is no session option '${name}'`);
    const [ours, read] = option;
    options[ours] = read(given, name);
  }
  return options;
}

function givenUp(): DOMException {
  return new DOMException('The client gave the request up', 'AbortError');
}

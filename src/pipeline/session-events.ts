/** What a pipeline session tells beside its outputs. */
import type { CharmerError, ExitReport } from '../errors.ts';

/** Events of a session, by name. */
export interface SessionEvents {
  /** A turn, a port message or something in the background failed. `turn` is 0 for what answers no input. */
  readonly error: {
    readonly node: string;
    readonly turn: number;
    readonly error: CharmerError;
    readonly port?: string;
    /** Where in the life of the node it failed when no call answers it, for example `cleanup`. */
    readonly phase?: string;
  };
  /** A node's process is gone and nobody had asked for it (R78). */
  readonly 'node-ended': { readonly node: string; readonly exit: ExitReport | undefined; readonly reason?: string };
  /** A node tells how far it is (R73). */
  readonly progress: { readonly node: string; readonly status: string; readonly message: string };
  /** Something is odd and does not stop the pipeline. */
  readonly warning: { readonly message: string; readonly node?: string };
  /** A turn came to its end (RW14). */
  readonly turn: {
    readonly node: string;
    readonly turn: number;
    readonly outputs: number;
    readonly durationMs: number;
    readonly failed: boolean;
  };
  /** A line that a node wrote to its own standard output or error (R74). */
  readonly output: { readonly node: string; readonly stream: 'stdout' | 'stderr'; readonly line: string };
  /** The session is closed. */
  readonly close: { readonly id: string };
}

type Listener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => void;
type Listeners = { [Name in keyof SessionEvents]?: Set<Listener<Name>> };

/** Warnings remembered for those who ask late. */
const MAX_WARNINGS = 256;

/** The listeners of one session. A listener that throws does not stop the others; its error is thrown later, by itself. */
export class SessionEventHub {
  readonly #listeners: Listeners = {};
  readonly #warnings: string[] = [];

  /** Every warning so far, oldest first; the oldest go first when there are very many. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Returns a function that stops listening. */
  on<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners: Set<Listener<Name>> = this.#listeners[name] ?? new Set<Listener<Name>>();
    Object.assign(this.#listeners, { [name]: listeners });
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void {
    const listeners: Set<Listener<Name>> | undefined = this.#listeners[name];
    for (const listener of listeners ?? []) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  warn(message: string, node?: string): void {
    this.#warnings.push(message);
    if (this.#warnings.length > MAX_WARNINGS) this.#warnings.shift();
    this.emit('warning', { message, ...(node === undefined ? {} : { node }) });
  }
}

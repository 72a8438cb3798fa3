import type { ExitReport } from '../errors.ts';
import { didYouMean } from '../nearest-name.ts';
import type { Finding } from '../plugin-spec.ts';

/** What a host tells, by event name. Every event names its plugin. */
export interface HostEvents {
  /** A plugin is ready to be called. */
  load: { readonly plugin: string; readonly pid: number | undefined; readonly durationMs: number };
  /** Something longer than an instant goes on: building an environment, loading a model. */
  progress: { readonly plugin: string; readonly phase: string; readonly message: string; readonly fraction?: number };
  /** A line that the plugin wrote to its own output. */
  output: { readonly plugin: string; readonly stream: 'stdout' | 'stderr'; readonly line: string };
  /** A log record or another event of the plugin's own. */
  message: { readonly plugin: string; readonly type: string; readonly [field: string]: unknown };
  /** Something is odd and does not stop the plugin. */
  warning: { readonly plugin: string; readonly message: string; readonly finding?: Finding };
  /** A process of the plugin ended that nobody had asked to. */
  exit: { readonly plugin: string; readonly report: ExitReport };
  /** A new process has taken the place of the old one. */
  reload: { readonly plugin: string; readonly pid: number | undefined };
  /** The plugin was closed. */
  close: { readonly plugin: string; readonly report: ExitReport | undefined };
}

const NAMES: readonly string[] = [
  'load',
  'progress',
  'output',
  'message',
  'warning',
  'exit',
  'reload',
  'close',
] satisfies readonly (keyof HostEvents)[];

/** A listener of one event. */
export type HostListener<Name extends keyof HostEvents> = (event: HostEvents[Name]) => void;

/** The events of one host. A listener that throws does not stop the others; its error is thrown later, by itself. */
export class EventHub {
  readonly #listeners = new Map<keyof HostEvents, Set<(event: never) => void>>();

  /**
   * Returns a function that stops listening.
   *
   * @throws TypeError for an event that there is not
   */
  on<Name extends keyof HostEvents>(name: Name, listener: HostListener<Name>): () => void {
    if (!NAMES.includes(name))
      throw new TypeError(
        `There is no event '${name}'; ${didYouMean(name, NAMES) ?? `there are ${NAMES.map((each) => `'${each}'`).join(', ')}`}`,
      );
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  hasListeners(name: keyof HostEvents): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof HostEvents>(name: Name, event: HostEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as HostListener<Name>)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

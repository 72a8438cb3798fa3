import type { PluginFormat } from '../formats/format.ts';
import type { Slots } from '../plugin/slots.ts';
import type { EventHub } from './events.ts';
import type { Launcher } from './launcher.ts';
import type { ResolvedHostOptions } from './host-options.ts';

/** What the stages of the road share: one host's options, processes and events. */
export interface HostContext {
  readonly options: ResolvedHostOptions;
  readonly formats: readonly PluginFormat[];
  readonly events: EventHub;
  /** Places for one-shot processes. */
  readonly slots: Slots;
  /** Aborted when the host closes. */
  readonly closing: AbortSignal;
  /** Name under which this host leases environments. */
  readonly leaseOwner: string;
  /** The host process's variables as they are now, copied once: reading them one by one is slow. */
  hostEnv(): NodeJS.ProcessEnv;
  /** How processes are started; the supervisor behind it comes up at the first use. */
  readonly launcher: Launcher;
}

/** The format of a name, for stages that carry names only. */
export function formatNamed(context: HostContext, name: string): PluginFormat {
  const format = context.formats.find((each) => each.name === name);
  if (format === undefined) throw new TypeError(`The host has no format '${name}'`);
  return format;
}

/** Addresses of the control bus: `<node>.in`, `<node>.out`, each with an optional `.<port>` (spec 8.4). */
import { ControlAddressError } from './bus-errors.ts';

/** One address, taken apart. */
export interface BusAddress {
  readonly text: string;
  readonly node: string;
  readonly direction: 'in' | 'out';
  /** Everything after the second dot, dots included. */
  readonly port: string | undefined;
}

/** Names that stand beside the nodes: what the session itself tells. */
export const SYSTEM_NODE = '__system__';
/** Figures of every turn. */
export const PERFORMANCE_NODE = '__perf__';
/** Begin and end of every turn. */
export const TIMELINE_NODE = '__timeline__';

/**
 * R87: reads an address that is used to listen (`out`) or to speak (`in`).
 *
 * @throws ControlAddressError `PORT_UNKNOWN`
 */
export function parseAddress(text: string, direction: 'in' | 'out'): BusAddress {
  const match = /^([^.]+)\.(in|out)(?:\.(.+))?$/su.exec(text);
  const [, node, found, port] = match ?? [];
  const expected = `'<node>.${direction}' or '<node>.${direction}.<port>' is expected`;
  if (node === undefined) throw new ControlAddressError(`'${text}' is no address of the control bus, ${expected}`);
  if (found !== direction) {
    const verb = direction === 'in' ? 'published to' : 'subscribed to';
    throw new ControlAddressError(`'${text}' cannot be ${verb}, ${expected}`);
  }
  return { text, node, direction, port };
}

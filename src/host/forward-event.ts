import type { ExitReport } from '../errors.ts';
import type { WorkerEvent } from '../plugin/plugin-session.ts';
import type { HostContext } from './host-context.ts';

/** Tells the host's listeners what a worker of a plugin told. */
export function forwardEvent(context: HostContext, plugin: string, event: WorkerEvent): void {
  const { events } = context;
  switch (event.type) {
    case 'output':
      events.emit('output', {
        plugin,
        stream: event['stream'] === 'stdout' ? 'stdout' : 'stderr',
        line: String(event['line']),
      });
      return;
    case 'progress':
      events.emit('progress', {
        plugin,
        phase: String(event['status'] ?? 'progress'),
        message: String(event['message'] ?? ''),
      });
      return;
    case 'warning':
      events.emit('warning', { plugin, message: String(event['message']) });
      return;
    case 'exit':
      events.emit('exit', { plugin, report: event['report'] as never });
      return;
    case 'reload':
      events.emit('reload', { plugin, pid: event['pid'] as number | undefined });
      return;
    case 'close':
      events.emit('close', { plugin, report: event['report'] as ExitReport | undefined });
      return;
    default:
      events.emit('message', { ...event, plugin });
  }
}

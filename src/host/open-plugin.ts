import type { OneShotConversation, OpeningRequest, ResidentConversation } from '../formats/format.ts';
import type { PipelineSession } from '../pipeline/pipeline-session.ts';
import { OneShotBackend } from '../plugin/one-shot-backend.ts';
import type { PluginBackend } from '../plugin/plugin-backend.ts';
import { Plugin } from '../plugin/plugin.ts';
import { ResidentBackend, type PlannedPlugin } from '../plugin/resident-backend.ts';
import { redactTail } from '../secrets/redact.ts';
import { forwardEvent } from './forward-event.ts';
import type { HostContext } from './host-context.ts';
import type { ReadPlugin } from './read-plugin.ts';
import type { LoadOptions } from './load-options.ts';
import { openNode } from './open-node.ts';
import { provision } from './provision-plugin.ts';

/** Most bytes of a one-shot reply unless the load says otherwise. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** Makes a plugin that can be called; a resident one is started unless that is put off. */
export async function openPlugin(
  context: HostContext,
  plugin: ReadPlugin,
  options: LoadOptions,
): Promise<Plugin<PipelineSession>> {
  const begun = performance.now();
  const { conversation } = plugin.format;
  const { spec } = plugin.planned;
  for (const finding of spec.findings)
    context.events.emit('warning', { plugin: spec.id, message: finding.message, finding });
  const backend =
    conversation.kind === 'resident'
      ? await openResident(context, plugin, { conversation, options })
      : openOneShot(context, plugin, { conversation, options });
  context.events.emit('load', { plugin: spec.id, pid: backend.pid, durationMs: performance.now() - begun });
  return new Plugin(backend, context.options.timeoutMs === undefined ? {} : { timeoutMs: context.options.timeoutMs });
}

async function openResident(
  context: HostContext,
  plugin: ReadPlugin,
  { conversation, options }: { conversation: ResidentConversation; options: LoadOptions },
): Promise<PluginBackend<PipelineSession>> {
  const request: OpeningRequest = {
    ...(options.interface !== undefined && { interface: options.interface }),
    ...(options.config !== undefined && { config: options.config }),
    ...(options.strict !== undefined && { strict: options.strict }),
  };
  const backend: ResidentBackend<PipelineSession> = new ResidentBackend({
    planned: plugin.planned,
    provenance: plugin.provenance,
    conversation,
    request,
    startChild: context.launcher.resident,
    readyTimeoutMs: options.readyTimeoutMs ?? context.options.readyTimeoutMs,
    replan: () => replan(context, plugin, options),
    openNode: (node, params, signal) => openNode(context, { plugin, options, node, params: params ?? {} }, signal),
    onEvent: (event) => forwardEvent(context, plugin.planned.spec.id, event),
  });
  if (options.start !== 'lazy') await startOrClose(backend, options.signal);
  return backend;
}

function openOneShot(
  context: HostContext,
  plugin: ReadPlugin,
  { conversation, options }: { conversation: OneShotConversation; options: LoadOptions },
): PluginBackend<PipelineSession> {
  context.launcher.prepare(plugin.planned.plan);
  return new OneShotBackend({
    planned: plugin.planned,
    provenance: plugin.provenance,
    conversation,
    startChild: context.launcher.oneShot,
    auth: options.auth ?? {},
    config: options.config,
    strict: options.strict ?? false,
    hostSlots: context.slots,
    maxProcesses: options.maxProcesses ?? context.options.maxProcesses,
    maxOutputBytes: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    timeoutMs: context.options.timeoutMs,
    replan: () => replan(context, plugin, options),
    redact: redactTail,
    isListenedTo: () => context.events.hasListeners('output'),
    onEvent: (event) => forwardEvent(context, plugin.planned.spec.id, event),
  });
}

async function startOrClose(backend: ResidentBackend<PipelineSession>, signal: AbortSignal | undefined): Promise<void> {
  try {
    await backend.start(signal);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function replan(context: HostContext, plugin: ReadPlugin, options: LoadOptions): Promise<PlannedPlugin> {
  const spec = plugin.read();
  return { spec, plan: await provision(context, spec, options) };
}

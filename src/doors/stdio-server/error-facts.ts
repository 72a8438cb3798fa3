import { CharmerError, PluginError } from '../../errors.ts';

/** An error as the client gets it: plain fields, the words and the evidence, no stack of ours. */
export function errorFacts(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const base = { name: error.name, message: error.message };
  if (!(error instanceof CharmerError)) return base;
  const { code, plugin, hint, path, line, column, key, traceback, stderrTail, exit, details } = error;
  const plain = {
    code,
    plugin,
    hint,
    path,
    line,
    column,
    key,
    traceback,
    stderrTail,
    exit,
    details: plainDetails(details),
  };
  return { ...base, ...plain, ...(error instanceof PluginError && { pluginCode: error.pluginCode }) };
}

/** Details are for people and scripts: what JSON cannot hold in them is left out rather than failing the answer. */
function plainDetails(details: unknown): unknown {
  try {
    return details === undefined ? undefined : (JSON.parse(JSON.stringify(details)) as unknown);
  } catch {
    return undefined;
  }
}

import { CharmerError, PluginError, StartError, TrustError } from '../../errors.ts';
import { CallError, LoadError, type CallErrorKind, type PluginFailure } from './fidius-error.ts';
import { pythonJson } from './python-json.ts';

/** An error of loading by the original's name and text (spec 7.7); an abort reason stays itself. */
export function asLoadError(error: unknown, found: { readonly name: string; readonly directory: string }): unknown {
  if (!(error instanceof CharmerError)) return error;
  const { name, directory } = found;
  if (error instanceof TrustError) {
    return error.code === 'SIGNATURE_MISSING'
      ? new LoadError('SignatureRequired', `signature required but no .sig file found for ${directory}`, error)
      : new LoadError('SignatureInvalid', `signature verification failed for ${directory}`, error);
  }
  if (error.code === 'PLUGIN_NOT_FOUND') return new LoadError('PluginNotFound', `plugin '${name}' not found`, error);
  const text = error instanceof StartError ? originalText(error) : error.message;
  return new LoadError('PythonLoad', `python load failed: ${text}`, error);
}

/** An error of a call by the original's name and text (spec 7.7); an abort reason stays itself. */
export function asCallError(error: unknown): unknown {
  if (!(error instanceof CharmerError) || error instanceof CallError) return error;
  if (error instanceof PluginError) return pluginError(error);
  const facts = { code: error.code, cause: error };
  const kind = kindOf(error);
  if (kind === 'Backend') return new CallError(kind, `python backend error: ${error.message}`, facts);
  return new CallError(kind, `${kind.toLowerCase()} error: ${originalText(error)}`, facts);
}

function pluginError(error: PluginError): CallError {
  const { pluginCode: code, message, pluginDetails } = error;
  const pluginFailure: PluginFailure = { code, message, details: detailsText(pluginDetails) };
  return new CallError('Plugin', `plugin error: [${code}] ${message}`, {
    code: error.code,
    cause: error,
    pluginFailure,
  });
}

/** The original writes its own tracebacks without blanks, and hands on what Python made of a plugin's details. */
function detailsText(details: unknown): string | null {
  if (details === undefined || details === null) return null;
  if (isTraceback(details)) return JSON.stringify(details);
  return pythonJson(details);
}

function isTraceback(details: unknown): boolean {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return false;
  const keys = Object.keys(details);
  return (
    keys.length === 1 && keys[0] === 'traceback' && 'traceback' in details && typeof details.traceback === 'string'
  );
}

function kindOf(error: CharmerError): CallErrorKind {
  if (error.code === 'RESULT_INVALID') {
    return error.details?.['kind'] === 'Deserialization' ? 'Deserialization' : 'Serialization';
  }
  if (error.code === 'ARGUMENT_INVALID') {
    return error.details?.['kind'] === 'Deserialization' ? 'Deserialization' : 'Serialization';
  }
  return 'Backend';
}

function originalText(error: CharmerError): string {
  const text = error.details?.['text'];
  return typeof text === 'string' ? text : error.message;
}

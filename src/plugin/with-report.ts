import { CharmerError } from '../errors.ts';
import type { CallReport } from './call-report.ts';

/**
 * The error of a failed call with the call's report, and with the names of plugin and operation where it has none.
 * The reason of an abort is the caller's own and stays untouched.
 */
export function withReport(error: unknown, report: CallReport, signal?: AbortSignal): unknown {
  if (!(error instanceof CharmerError) || (signal?.aborted === true && error === signal.reason)) return error;
  const { plugin, operation } = report;
  // What names no operation may be the end of a process, which is one error for all of its calls.
  const own = error.operation === undefined ? copyOf(error) : error;
  Object.assign(own, { plugin: own.plugin ?? plugin, operation });
  return Object.defineProperty(own, 'report', { value: report, enumerable: false, configurable: true });
}

function copyOf(error: CharmerError): CharmerError {
  const copy = Reflect.construct(Error, [error.message], error.constructor) as CharmerError;
  return Object.defineProperties(copy, Object.getOwnPropertyDescriptors(error));
}

/** Errors of the control bus: coded like all others, with the names that control clients know. */
import { CallError, type CodeOf, type ErrorEvidence, PipelineError } from '../errors.ts';

/** An address that does not parse, or that is used in the wrong direction. */
export class ControlAddressError extends PipelineError {
  override name = 'ControlAddressError';
  constructor(message: string, evidence?: ErrorEvidence) {
    super('PORT_UNKNOWN', message, evidence);
  }
}

/** A remote method answered with an error; the message is the author's own. */
export class RpcError extends CallError {
  override name = 'RpcError';
  constructor(message: string, evidence?: ErrorEvidence, code: CodeOf<'CallError' | 'PluginError'> = 'PLUGIN_RAISED') {
    super(code, message, evidence);
  }
}

/** A remote method did not answer in time. */
export class RpcTimeoutError extends RpcError {
  override name = 'RpcTimeoutError';
  constructor(message: string, evidence?: ErrorEvidence) {
    super(message, evidence, 'CALL_TIMEOUT');
  }
}

/** The session that a control client wants to attach to is closed. */
export class SessionNotFoundError extends CallError {
  override name = 'SessionNotFoundError';
  constructor(message: string, evidence?: ErrorEvidence) {
    super('HOST_CLOSED', message, evidence);
  }
}

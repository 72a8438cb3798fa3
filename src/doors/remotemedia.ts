/** The Node surface of RemoteMedia over Charmer: the same names, promises that keep their word (spec 8.2, 8.3). */
export { Data } from './remotemedia/bus-data.ts';
export {
  type Attachable,
  type AttachedSession,
  attachInproc,
  type CallOptions,
  InterceptDecision,
  InterceptSession,
  type NodeMethod,
  type NodeProxy,
  NodeState,
  Subscription,
} from './remotemedia/control.ts';
export { type ExecuteOptions, executePipeline, PipelineResult } from './remotemedia/execute-pipeline.ts';
export { NapiRuntimeData } from './remotemedia/napi-runtime-data.ts';
export {
  createStreamingSession,
  type OutputKind,
  StreamingSession,
  type StreamingSessionOptions,
  type StreamOutput,
} from './remotemedia/streaming-session.ts';
export { parsePipelineManifest as validateManifest } from '../formats/remotemedia/pipeline-manifest.ts';
export { ControlAddressError, RpcError, RpcTimeoutError, SessionNotFoundError } from '../pipeline/bus-errors.ts';
export { DeferredCall } from '../pipeline/deferred-call.ts';

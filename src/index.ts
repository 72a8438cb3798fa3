/** Charmer loads Python plugins into TypeScript programs. Named re-exports only; a test pins the list. */
export {
  ArchiveError,
  CallError,
  CharmerError,
  ERROR_CODES,
  LocateError,
  ManifestError,
  PipelineError,
  PluginError,
  ProtocolError,
  ProvisionError,
  StartError,
  StoreError,
  TrustError,
  type ErrorCode,
  type ErrorEvidence,
  type ExitReport,
} from './errors.ts';
export type { BatchRow, Diagnostic, PluginFormat } from './formats/format.ts';
export { formats } from './formats/index.ts';
export { checkPlugin } from './host/check-plugin.ts';
export type { PluginSummary } from './host/discover.ts';
export { doctor, type DoctorFinding } from './host/doctor.ts';
export { findPython, type FindPythonOptions } from './host/find-python.ts';
export type { HostEvents, HostListener } from './host/events.ts';
export { createHost, type Host, type PluginHealth } from './host/host.ts';
export type { HostOptions } from './host/host-options.ts';
export type { LoadOptions } from './host/load-options.ts';
export type { SessionOptions } from './host/session-options.ts';
export type { TrustPolicy } from './host/trust-policy.ts';
export type { PipelineSession } from './pipeline/pipeline-session.ts';
export type { CallOptions } from './plugin/call-options.ts';
export type { CallReport } from './plugin/call-report.ts';
export type { PluginClient } from './plugin/client.ts';
export type { NodeOutput, SendTarget } from './plugin/node-session.ts';
export type { Plugin } from './plugin/plugin.ts';
export type { PluginStats } from './plugin/plugin-backend.ts';
export type { Provenance } from './plugin/provenance.ts';
export type {
  Finding,
  JsonObject,
  JsonValue,
  Operation,
  OperationKind,
  PluginSpec,
  ProcessLimits,
  SecretField,
  WireMode,
} from './plugin-spec.ts';
export type { RuntimeData } from './runtime-data.ts';

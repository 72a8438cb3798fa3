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
export {
  clientTypes,
  interfaceHash,
  pythonStub,
  type CanonicalHash,
  type ClientTypes,
  type ClientTypesOptions,
  type InterfaceHash,
  type InterfaceOptions,
  type PythonStub,
  type PythonStubOptions,
} from './formats/interface-tools.ts';
export type { PluginSummary } from './host/discover.ts';
export { doctor, type DoctorFinding } from './host/doctor.ts';
export { findPython, type FindPythonOptions } from './host/find-python.ts';
export type { HostEvents, HostListener } from './host/events.ts';
export { createHost, type Host, type PluginHealth } from './host/host.ts';
export type { HostOptions } from './host/host-options.ts';
export type { LoadOptions } from './host/load-options.ts';
export { check } from './host/package-verbs/check.ts';
export { digest, type DigestResult, type DigestVerbOptions } from './host/package-verbs/digest.ts';
export { init, type InitOptions, type InitResult } from './host/package-verbs/init.ts';
export { inspect, type InspectOptions, type Inspection } from './host/package-verbs/inspect.ts';
export { keygen, type KeygenOptions, type KeygenResult } from './host/package-verbs/keygen.ts';
export { pack, type PackOptions, type PackResult } from './host/package-verbs/pack.ts';
export { sign, type SignOptions, type SignResult } from './host/package-verbs/sign.ts';
export type { PackageProgress, PackageVerbOptions } from './host/package-verbs/target.ts';
export { unpack, type UnpackOptions, type UnpackResult } from './host/package-verbs/unpack.ts';
export { verify, type VerifyOptions, type VerifyResult } from './host/package-verbs/verify.ts';
export type { SessionOptions } from './host/session-options.ts';
export type { TrustPolicy } from './host/trust-policy.ts';
export type { PipelineSession } from './pipeline/pipeline-session.ts';
export { parseBatchItems, type BatchItem } from './plugin/batch-items.ts';
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

/**
 * Tools for interfaces that are written in Rust, loaded when they are first used: the grammar alone is a megabyte.
 */
import type { ClientTypes, ClientTypesOptions } from './fidius/client-types.ts';
import type { InterfaceHash } from './fidius/interface-hash.ts';
import type { PythonStub, PythonStubOptions } from './fidius/python-stub.ts';

export type { ClientTypes, ClientTypesOptions } from './fidius/client-types.ts';
export type { CanonicalHash, InterfaceHash } from './fidius/interface-hash.ts';
export type { PythonStub, PythonStubOptions } from './fidius/python-stub.ts';

/** Which interface of a Rust source is meant. */
export interface InterfaceOptions {
  /** File that errors name. @default 'lib.rs' */
  readonly path?: string;
  /** @default the only interface of the file */
  readonly trait?: string | undefined;
}

/**
 * Both hashes of an interface with the texts they are made of: A, which hosts that were compiled with the interface expect, and B, which the
 * original stub tool prints (rows F16, F17, FW1).
 *
 * @param source Rust source text with a `#[plugin_interface]` trait
 * @throws ManifestError `INTERFACE_SOURCE_INVALID` with line and column for broken Rust, or a choice of traits that is none
 */
export async function interfaceHash(source: string, options: InterfaceOptions = {}): Promise<InterfaceHash> {
  return (await import('./fidius/interface-hash.ts')).interfaceHash(source, options);
}

/**
 * Writes a Python module with one function per method of an interface, to be filled in (rows F18, FW2).
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID`
 */
export async function pythonStub(source: string, options: PythonStubOptions = {}): Promise<PythonStub> {
  return (await import('./fidius/python-stub.ts')).pythonStub(source, options);
}

/**
 * Writes a TypeScript module for an interface: its descriptor for `host.load`, its types, and a typed client.
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID`
 */
export async function clientTypes(source: string, options: ClientTypesOptions = {}): Promise<ClientTypes> {
  return (await import('./fidius/client-types.ts')).clientTypes(source, options);
}

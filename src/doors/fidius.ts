/**
 * The library surface of Fidius over a Charmer host, for Python packages: builder, handles, and the names and texts of the
 * original's errors (spec 7.1, 7.7).
 */
export type { InterfaceDescriptor, MethodDescriptor } from '../formats/fidius/descriptor.ts';
export { CallError, LoadError } from './fidius/fidius-error.ts';
export type { CallErrorKind, LoadErrorKind, PluginFailure } from './fidius/fidius-error.ts';
export { discoverPackages } from './fidius/find-packages.ts';
export { PluginHandle, type PluginInfo } from './fidius/plugin-handle.ts';
export { PluginHost, PluginHostBuilder } from './fidius/plugin-host.ts';

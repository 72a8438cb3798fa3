import { resolve } from 'node:path';
import { createHost, LocateError, type Host, type HostOptions, type JsonValue } from '../../index.ts';
import type { InterfaceDescriptor } from '../../formats/fidius/descriptor.ts';
import { markJson } from '../../formats/fidius/json-text.ts';
import { asLoadError } from './as-fidius-error.ts';
import { findPackages } from './find-packages.ts';
import { PluginHandle, type PluginInfo } from './plugin-handle.ts';

/** Choices of a `PluginHost`, made one by one. */
export class PluginHostBuilder {
  readonly #searchPath: string[] = [];
  #options: HostOptions = {};
  #isStrict = false;
  #requiresSignature = false;
  #keys: readonly Uint8Array[] = [];

  /** Adds a directory whose sub-directories are packages; they are searched in the order added. */
  searchPath(directory: string): this {
    this.#searchPath.push(resolve(directory));
    return this;
  }

  /** @default false: signatures are not looked at, even when present */
  requireSignature(isRequired: boolean): this {
    this.#requiresSignature = isRequired;
    return this;
  }

  /** Replaces the trusted keys: 32 raw bytes each. */
  trustedKeys(keys: readonly Uint8Array[]): this {
    this.#keys = [...keys];
    return this;
  }

  /** Stored and never consulted, as in the original. */
  loadPolicy(_policy: 'Strict' | 'Lenient'): this {
    return this;
  }

  /** Whether the original's lossy conversions are reproduced. @default false */
  strict(isStrict: boolean): this {
    this.#isStrict = isStrict;
    return this;
  }

  /** Options of the host behind this one: cache directory, limits, interpreter and so on. */
  hostOptions(options: Omit<HostOptions, 'searchPath' | 'trust'>): this {
    this.#options = options;
    return this;
  }

  build(): PluginHost {
    const host = createHost({
      ...this.#options,
      searchPath: this.#searchPath,
      trust: this.#requiresSignature ? { require: 'signed', keys: this.#keys } : { require: 'none' },
    });
    return new PluginHost(host, { searchPath: this.#searchPath, isStrict: this.#isStrict });
  }
}

/** The original's host, for Python packages: same names, same errors, every package in a process of its own. */
export class PluginHost {
  readonly #host: Host;
  readonly #choices: { readonly searchPath: readonly string[]; readonly isStrict: boolean };

  /** Use `PluginHost.builder()`. */
  constructor(host: Host, choices: { readonly searchPath: readonly string[]; readonly isStrict: boolean }) {
    this.#host = host;
    this.#choices = choices;
  }

  static builder(): PluginHostBuilder {
    return new PluginHostBuilder();
  }

  /** Packages of the search path; broken ones and Rust sources are left out, as in the original. Hashes are 0. */
  async discover(): Promise<readonly PluginInfo[]> {
    const found = await findPackages(this.#choices.searchPath);
    return found.flatMap(({ manifest }): PluginInfo[] => {
      const { runtime } = manifest;
      if (runtime === 'rust') return [];
      return [
        {
          name: manifest.name,
          interfaceName: manifest.interface,
          interfaceHash: hexadecimal(0n),
          interfaceVersion: manifest.interfaceVersion,
          runtime: runtime === 'python' ? 'Python' : 'Wasm',
        },
      ];
    });
  }

  /** Directory of the first Python package of a name, in search-path then directory order. */
  async findPythonPackage(name: string): Promise<string | undefined> {
    const found = await findPackages(this.#choices.searchPath);
    return found.find(({ manifest }) => manifest.runtime === 'python' && manifest.name === name)?.directory;
  }

  /**
   * Loads a package and checks it against an interface before the first call.
   *
   * @throws LoadError
   */
  loadPython(name: string, descriptor: InterfaceDescriptor): Promise<PluginHandle> {
    return this.#load(name, descriptor, {});
  }

  /** The same with a configuration for the package's hook. @throws LoadError */
  loadPythonConfigured(name: string, descriptor: InterfaceDescriptor, config: JsonValue): Promise<PluginHandle> {
    return this.#load(name, descriptor, { config });
  }

  /** The same with the configuration as JSON text, in which 1 and 1.0 are two things. @throws LoadError */
  loadPythonConfiguredJson(name: string, descriptor: InterfaceDescriptor, json: string): Promise<PluginHandle> {
    return this.#load(name, descriptor, { config: markJson(json) });
  }

  /** Ends every package's process. Idempotent and bounded. */
  async close(): Promise<void> {
    await this.#host.close();
  }

  async #load(name: string, descriptor: InterfaceDescriptor, extra: { config?: JsonValue }): Promise<PluginHandle> {
    const directory = await this.findPythonPackage(name);
    try {
      if (directory === undefined) {
        throw new LocateError('PLUGIN_NOT_FOUND', `No Python package of the search path is called '${name}'`);
      }
      const plugin = await this.#host.load(directory, {
        interface: withKinds(descriptor),
        strict: this.#choices.isStrict,
        ...extra,
      });
      const interfaceVersion = Number(plugin.spec.manifest['interface_version']);
      return new PluginHandle(plugin, descriptor, {
        name: plugin.id,
        interfaceName: descriptor.name,
        interfaceHash: hexadecimal(BigInt(descriptor.hash)),
        interfaceVersion,
        runtime: 'Python',
      });
    } catch (error) {
      throw asLoadError(error, { name, directory: directory ?? '' });
    }
  }
}

/** The original's descriptors do not say how methods stream: their callers choose by how they call. */
function withKinds(descriptor: InterfaceDescriptor): InterfaceDescriptor {
  const methods = descriptor.methods.map((method) => ({ ...method, kind: method.kind ?? 'unary' }));
  return { ...descriptor, methods };
}

function hexadecimal(hash: bigint): string {
  return `0x${hash.toString(16).padStart(16, '0')}`;
}

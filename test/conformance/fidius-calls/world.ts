import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PluginHost, type InterfaceDescriptor, type PluginHandle } from '../../../src/doors/fidius.ts';
import { literalText } from './literal-json.ts';
import type { Normalise } from './outcome.ts';
import type { Calls, CaseInput, Descriptor, Step, Tree } from './recorded.ts';

/** Method that the adapter adds to a package so that it can look inside, as the recorder did. */
const PROBE = '__charmer_probe__';

const PROBE_SOURCE = `

def ${PROBE}(code):
    names = {}
    exec(code, names)
    return names.get('result')
`;

const SDK = fileURLToPath(new URL('../../../src/formats/fidius/python', import.meta.url));

/** The packages of one recorded case after another on disk, a host over them, and the handles that steps loaded. */
export class World {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'charmer-fidius-calls-'));
  readonly host: PluginHost;
  readonly #cache: string = mkdtempSync(join(tmpdir(), 'charmer-fidius-cache-'));
  readonly #calls: Calls;
  readonly #suite: string;
  readonly #handles = new Map<string, PluginHandle>();
  readonly #loaded: PluginHandle[] = [];
  #last: PluginHandle | undefined;

  constructor(calls: Calls, suite: string, isStrict: boolean) {
    this.#calls = calls;
    this.#suite = suite;
    this.host = PluginHost.builder()
      .searchPath(this.directory)
      .strict(isStrict)
      .hostOptions({ python: { path: recordedPython() }, cacheDir: this.#cache })
      .build();
  }

  /** Ends what the case before has loaded and takes its packages away. */
  async clear(): Promise<void> {
    await Promise.all(this.#loaded.splice(0).map((handle) => handle.close()));
    this.#handles.clear();
    this.#last = undefined;
    for (const name of readdirSync(this.directory))
      rmSync(join(this.directory, name), { recursive: true, force: true });
  }

  /** Writes the packages of a case; those that its steps look into get a method for it. */
  write(input: CaseInput): void {
    const { packages = {} } = input;
    if (packages === 'packages/') {
      cpSync(join(this.#suite, 'packages'), this.directory, { recursive: true });
      return;
    }
    if (typeof packages === 'string') throw new TypeError(`Unknown packages '${packages}'`);
    for (const [folder, content] of Object.entries(packages)) {
      const files = typeof content === 'string' ? this.#calls.packages[content] : content;
      if (files === undefined) throw new TypeError(`Unknown package '${String(content)}'`);
      this.writePackage(folder, files, isLookedInto(input) ? entryOf(input, folder) : undefined);
    }
  }

  writePackage(folder: string, files: Tree, entry?: string): void {
    const places =
      entry === undefined ? [] : [`${entry.replaceAll('.', '/')}.py`, `${entry.replaceAll('.', '/')}/__init__.py`];
    for (const [path, text] of Object.entries(files)) {
      const target = join(this.directory, folder, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, places.includes(path) ? text + PROBE_SOURCE : text);
    }
  }

  /** Loads as a step says. The descriptor gets the probe where the package has it. */
  async load(step: Step, input: CaseInput): Promise<PluginHandle> {
    const descriptor = this.descriptor(step.host ?? '', isLookedInto(input) && step.config === undefined);
    const name = step.package ?? '';
    const handle =
      step.config === undefined
        ? await this.host.loadPython(name, descriptor)
        : await this.host.loadPythonConfiguredJson(name, descriptor, configText(step));
    this.#last = handle;
    this.#loaded.push(handle);
    if (step.as !== undefined) this.#handles.set(step.as, handle);
    return handle;
  }

  descriptor(host: string | Descriptor, hasProbe: boolean): InterfaceDescriptor {
    const recorded = typeof host === 'string' ? this.#calls.hosts[host] : host;
    if (recorded === undefined) throw new TypeError(`Unknown host '${String(host)}'`);
    const methods = recorded.methods.map(({ name, raw }) => ({ name, wireRaw: raw }));
    return {
      name: recorded.interface,
      hash: recorded.hash,
      methods: hasProbe ? [...methods, { name: PROBE, wireRaw: false, optional: true }] : methods,
    };
  }

  handle(step: Step): PluginHandle {
    const handle = step.on === undefined ? this.#last : this.#handles.get(step.on);
    if (handle === undefined) throw new TypeError(`Step '${step.op}' has no handle`);
    return handle;
  }

  /** Runs Python in the package's process. */
  async probe(code: string): Promise<unknown> {
    return this.#last?.plugin.call(PROBE, code);
  }

  readonly normalise: Normalise = (text) =>
    text
      .replaceAll(this.directory, '{DIR}')
      .replaceAll(SDK, '{SDK}')
      .replace(/0x[0-9a-f]{6,}(?=>)/g, '0xADDR')
      .replace(/repeated \d+ more times/, 'repeated N more times')
      // Every version of Python draws its own lines under a source line.
      .replace(/\\n[ ~^]+(?=\\n|")/g, '')
      // One method more than the recorder's: the probe.
      .replace(/\(plugin has \d+ method\(s\)\)/, '(plugin has N method(s))');

  async close(): Promise<void> {
    await this.host.close();
    for (const directory of [this.directory, this.#cache]) rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether any step runs Python of the recorder's inside the package. */
function isLookedInto(input: CaseInput): boolean {
  const steps = [...(input.before ?? []), ...(Array.isArray(input.steps) ? (input.steps as Step[]) : [])];
  return steps.some((step) => step.op === 'py' || step.probe !== undefined || step.after_drop_probe !== undefined);
}

function entryOf(input: CaseInput, folder: string): string | undefined {
  return typeof input.entry_modules === 'string' ? undefined : input.entry_modules?.[folder];
}

function configText(step: Step): string {
  const json = step.config?.json;
  if (json === undefined) throw new TypeError('The configuration has no JSON form');
  return literalText(json);
}

/** The interpreter of the record, 3.11, where this machine has it: messages differ between versions. */
export function recordedPython(): string {
  const versions = join(homedir(), '.pyenv', 'versions');
  const found = existsSync(versions) ? readdirSync(versions).find((name) => name.startsWith('3.11.')) : undefined;
  if (found !== undefined) return join(versions, found, 'bin', 'python3');
  for (const name of ['python3.11', 'python3']) {
    try {
      return execFileSync(name, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    } catch {
      // Not on PATH: the next name.
    }
  }
  return 'python3';
}

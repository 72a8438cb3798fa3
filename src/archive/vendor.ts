import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { archiveFailure } from './archive-failure.ts';
import { type InstallerEnd, runInstaller } from './run-installer.ts';

/** How a package's requirements are put into the package. */
export interface VendorOptions {
  readonly directory: string;
  /** Directory that the installer starts in, and that a relative `directory` is relative to. @default the process's own */
  readonly cwd?: string;
  /** Path of the requirements file inside the package. @default 'requirements.txt' */
  readonly requirements?: string;
  /** Interpreter that the requirements are for: a path, or a name on the PATH of `env`. */
  readonly python: string;
  /** uv to install with, instead of the interpreter's own pip. */
  readonly uv?: string;
  /** Whole environment of the installer. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Refuses source distributions, whose installation runs their code (row FW26). @default true, and false with `compat` */
  readonly wheelsOnly?: boolean;
  /** Requires a hash for every requirement. @default false */
  readonly requireHashes?: boolean;
  /** Installs again when the requirements have changed since. @default false */
  readonly refresh?: boolean;
  /** The original's command, in place, without byte-code or staging (row F9). @default false */
  readonly compat?: boolean;
  /** Told the words of the installer's command before it runs. */
  readonly onCommand?: (words: readonly string[]) => void;
  readonly signal?: AbortSignal;
}

/** What became of the requirements. */
export interface VendorReport {
  /** `nothing`: there is no requirements file. `present`: there was a `vendor` already. `installed`: now there is. */
  readonly state: 'nothing' | 'present' | 'installed';
  /** Words of the command that ran. */
  readonly command?: readonly string[];
  /** Why what is present does not match the requirements; undefined when it does or nobody can tell. */
  readonly stale?: string;
}

/** Directory that requirements go to, at the root of the package. */
export const VENDOR_DIRECTORY = 'vendor';
/** Remembers which requirements a vendor directory was made from. */
const STAMP_FILE = '.requirements.sha256';

/**
 * Installs a package's requirements into its `vendor` directory (package spec §2.4, rows F9, FW26). By default they are
 * installed aside and renamed into place, so that a failed run leaves nothing; with `compat` it is the original's command.
 *
 * Throws `ARCHIVE_INVALID` with reason `vendoring-failed`; `details` has `exitCode` (-1 for a signal) and `stderr`, or the
 * system's error as cause when the installer could not be started.
 */
export async function vendorRequirements(options: VendorOptions): Promise<VendorReport> {
  const words = {
    requirements: within(options.directory, options.requirements ?? 'requirements.txt'),
    target: within(options.directory, VENDOR_DIRECTORY),
  };
  const requirements = path.resolve(options.cwd ?? '', words.requirements);
  const vendor = path.resolve(options.cwd ?? '', words.target);
  const isPresent = lstatSync(vendor, { throwIfNoEntry: false }) !== undefined;
  const stale = isPresent && options.compat !== true ? whyStale(vendor, requirements) : undefined;
  if (isPresent && (stale === undefined || options.refresh !== true))
    return { state: 'present', ...(stale === undefined ? {} : { stale }) };
  if (statSync(requirements, { throwIfNoEntry: false }) === undefined) return { state: 'nothing' };
  if (options.compat === true) {
    const command = commandFor(options, words);
    await install(options, command);
    return { state: 'installed', command };
  }
  return installAside(options, { requirements, vendor });
}

async function installAside(
  options: VendorOptions,
  { requirements, vendor }: { requirements: string; vendor: string },
): Promise<VendorReport> {
  const staging = mkdtempSync(path.join(path.dirname(vendor), '.vendor-'));
  const target = path.join(staging, VENDOR_DIRECTORY);
  try {
    const command = commandFor(options, { requirements, target });
    await install(options, command);
    writeFileSync(path.join(target, STAMP_FILE), `${fingerprint(requirements)}\n`);
    rmSync(vendor, { recursive: true, force: true });
    renameSync(target, vendor);
    return { state: 'installed', command };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The original's words; ours add what keeps foreign code from running and byte-code from being packed. */
function commandFor(
  options: VendorOptions,
  { requirements, target }: { requirements: string; target: string },
): string[] {
  const isStrict = options.wheelsOnly ?? options.compat !== true;
  const hashes = options.requireHashes === true ? ['--require-hashes'] : [];
  if (options.uv !== undefined) {
    const wheels = isStrict ? ['--only-binary', ':all:'] : [];
    const python = ['--python', options.python];
    return [
      options.uv,
      'pip',
      'install',
      ...python,
      '-r',
      requirements,
      '--target',
      target,
      '--quiet',
      ...wheels,
      ...hashes,
    ];
  }
  const wheels = isStrict ? ['--only-binary', ':all:'] : [];
  const bytecode = options.compat === true ? [] : ['--no-compile', '--no-input', '--disable-pip-version-check'];
  const words = ['-m', 'pip', 'install', '-r', requirements, '--target', target, '--quiet'];
  return [options.python, ...words, ...bytecode, ...wheels, ...hashes];
}

async function install(options: VendorOptions, command: readonly string[]): Promise<void> {
  options.onCommand?.(command);
  const [program = '', ...words] = command;
  let end: InstallerEnd;
  try {
    end = await runInstaller(program, words, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw archiveFailure('vendoring-failed', `Cannot start '${program}' to install the requirements`, {
      cause,
      hint: 'Name an interpreter that has pip, or install uv',
    });
  }
  if (end.code === 0) return;
  const lastLine = end.stderr.trim().split('\n').at(-1) ?? '';
  throw archiveFailure('vendoring-failed', `Requirements cannot be installed: '${lastLine}'`, {
    facts: { exitCode: end.code ?? -1, stderr: end.stderr },
    hint: 'Correct the requirements, or allow source distributions if one has no wheel for this platform',
  });
}

/** Compares with the stamp, or else with the pinned versions that pip's own records name. */
function whyStale(vendor: string, requirements: string): string | undefined {
  if (!isFile(requirements) || !statSync(vendor).isDirectory()) return undefined;
  const stamp = path.join(vendor, STAMP_FILE);
  if (isFile(stamp)) {
    const isSame = readFileSync(stamp, 'utf8').trim() === fingerprint(requirements);
    return isSame ? undefined : `Requirements have changed since '${VENDOR_DIRECTORY}' was made`;
  }
  const installed = recordsIn(vendor);
  const missing = pinsIn(requirements).filter((pin) => !installed.includes(pin));
  if (installed.length === 0 || missing.length === 0) return undefined;
  return `Directory '${VENDOR_DIRECTORY}' lacks '${missing.join("', '")}', which the requirements pin`;
}

/** `name==version` lines, names normalised. */
function pinsIn(requirements: string): string[] {
  const pins = readFileSync(requirements, 'utf8').matchAll(/^\s*([A-Za-z0-9][\w.-]*)\s*==\s*([\w.!+-]+)/gm);
  return [...pins].map(([, name = '', version = '']) => `${normalise(name)}==${version}`);
}

function recordsIn(vendor: string): string[] {
  return readdirSync(vendor).flatMap((entry) => {
    const record = /^(.+)-([^-]+)\.dist-info$/.exec(entry);
    return record === null ? [] : [`${normalise(record[1] ?? '')}==${record[2] ?? ''}`];
  });
}

function normalise(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}

function fingerprint(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Joins without tidying: the installer is given the words that the user wrote. */
function within(directory: string, file: string): string {
  if (path.isAbsolute(file)) return file;
  return directory.endsWith('/') ? directory + file : `${directory}/${file}`;
}

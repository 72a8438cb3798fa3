import type { ArchiveFinding } from '../../archive/archive-failure.ts';
import { packPackage, type PackReport } from '../../archive/pack.ts';
import { vendorRequirements, type VendorReport } from '../../archive/vendor.ts';
import { packingOf } from '../../formats/index.ts';
import type { ArchiveRules, PluginSpec } from '../../plugin-spec.ts';
import { installerEnvironment } from '../../provision/installer-environment.ts';
import { findPython } from '../find-python.ts';
import { readSpec } from '../read-spec.ts';
import {
  packageIn,
  readingPackage,
  type PackageProgress,
  type PackageTarget,
  type PackageVerbOptions,
} from './target.ts';

/** How a plugin's directory becomes an archive. */
export interface PackOptions extends PackageVerbOptions {
  /** The archive file. @default `NAME-VERSION.EXTENSION` in the working directory */
  readonly output?: string | undefined;
  /** Packs exactly what the original packs: no ignore list, links followed out of the package, its own pip command. @default false */
  readonly compat?: boolean | undefined;
  /** Whether requirements are installed into the package first, for formats that do that. @default true */
  readonly vendor?: boolean | undefined;
  /** Installs the requirements again when they have changed since. @default false */
  readonly refresh?: boolean | undefined;
  /** Allows source distributions, whose installation runs their code. @default false */
  readonly allowBuilds?: boolean | undefined;
  /** Requires a hash for every requirement. @default false */
  readonly requireHashes?: boolean | undefined;
  /** uv to install with. @default the interpreter's own pip */
  readonly uv?: string | undefined;
  /** Interpreter that the requirements are for, and that writes bzip2: a path, or a name on PATH. @default the first suitable one */
  readonly python?: string | undefined;
  readonly onProgress?: ((progress: PackageProgress) => void) | undefined;
}

/** What was packed. */
export interface PackResult extends PackReport {
  /** What the manifest calls the package. */
  readonly id: string;
  readonly version: string;
  readonly format: string;
  /** What became of the requirements. */
  readonly vendored: VendorReport;
}

/**
 * Packs a plugin's directory into one file, after its requirements have been installed into it where the format asks for
 * that. A failure leaves an older archive as it was, except with `compat`.
 *
 * @throws ManifestError | LocateError there is no plugin that can be packed
 * @throws ArchiveError `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE` with the finer reason in `details.reason`
 * @throws ProvisionError `PYTHON_NOT_FOUND` where Python is needed and there is none
 */
export async function pack(directory: string, options: PackOptions = {}): Promise<PackResult> {
  const target = packageIn(directory, options);
  const spec = readSpec(target.directory, target.format);
  const vendored = await vendor(target, spec, options);
  const rules = rulesOf(target, spec);
  const report = await readingPackage(target.directory, async () =>
    packPackage({
      directory: target.directory,
      rules,
      name: spec.id,
      version: spec.version,
      ...(options.output !== undefined && { output: options.output }),
      ...(options.compat === true && { compat: true }),
      ...(rules.container === 'tar.bz2' && {
        python: await findPython({ path: options.python, signal: options.signal }),
      }),
      ...(options.signal && { signal: options.signal }),
      onProgress: ({ files, totalFiles, file }) =>
        options.onProgress?.({ phase: 'packing', message: `Packing ${file}`, fraction: files / totalFiles }),
    }),
  );
  const findings = [...vendorFindings(vendored, report.isSigned), ...report.findings];
  return { ...report, findings, id: spec.id, version: spec.version, format: spec.format, vendored };
}

function rulesOf({ format }: PackageTarget, spec: PluginSpec): ArchiveRules {
  const { extension } = packingOf(spec);
  return extension === undefined ? format.archive : { ...format.archive, extension };
}

async function vendor(target: PackageTarget, spec: PluginSpec, options: PackOptions): Promise<VendorReport> {
  const { requirementsFile } = packingOf(spec);
  if (requirementsFile === undefined || options.vendor === false) return { state: 'nothing' };
  const { compat = false, python, signal } = options;
  return vendorRequirements({
    directory: target.directory,
    requirements: requirementsFile,
    // The original's command is looked up on PATH by the system, and sees everything.
    python: compat ? (python ?? 'python3') : await findPython({ path: python, signal }),
    env: compat ? process.env : installerEnvironment(process.env),
    compat,
    wheelsOnly: !compat && options.allowBuilds !== true,
    requireHashes: options.requireHashes === true,
    refresh: options.refresh === true,
    ...(options.uv !== undefined && { uv: options.uv }),
    ...(signal && { signal }),
    onCommand: (words) => options.onProgress?.({ phase: 'vendoring', message: words.join(' ') }),
  });
}

function vendorFindings({ state, stale }: VendorReport, isSigned: boolean): ArchiveFinding[] {
  if (stale !== undefined) {
    const hint = 'Install them again with refresh';
    return [{ severity: 'warning', kind: 'stale-vendor', file: 'vendor', message: stale, hint }];
  }
  if (state !== 'installed' || !isSigned) return [];
  const message = 'Requirements were installed after the package was signed: the signature no longer fits';
  const hint = 'Sign the package again, then pack it';
  return [{ severity: 'warning', kind: 'stale-signature', file: 'vendor', message, hint }];
}

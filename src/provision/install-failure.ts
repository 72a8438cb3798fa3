/** What an installer's words mean, and what to do about it. */
import { ProvisionError } from '../errors.ts';
import type { ToolOutcome } from './run-tool.ts';

/** An installer's run that failed. */
export interface FailedInstall {
  /** For example `uv 0.9.2` or `pip`. */
  readonly installer: string;
  readonly requirements: readonly string[];
  readonly outcome: ToolOutcome;
  readonly plugin?: string | undefined;
  readonly pythonVersion: string;
}

/** Lines of the installer's words that an error carries. */
const TAIL_LINES = 40;

/** First match wins: the more particular causes come first. */
const CAUSES: readonly (readonly [pattern: RegExp, cause: string, fix: string])[] = [
  [/No space left|ENOSPC|disk quota/i, 'the disk is full', 'Free space, or choose another cache directory'],
  [
    /ensurepip is not available|No module named '?(ensurepip|venv|pip)/i,
    'this Python comes without venv or pip',
    "Install uv, or your system's python3-venv package",
  ],
  [
    /certificate|SSLError|TLS|UnknownIssuer/i,
    "the index's certificate is not trusted",
    'Set SSL_CERT_FILE to the certificates of your network',
  ],
  [
    /network (was|is) disabled|--offline|offline mode/i,
    'the network may not be used and the package is not in the cache',
    'Give a directory of wheels, or allow the network once',
  ],
  [
    /Failed to fetch|error sending request|dns error|Temporary failure in name resolution|Connection refused|timed out|Max retries|NewConnectionError|Network is unreachable/i,
    'the package index could not be reached, this machine looks offline',
    'Check the network and the proxy variables, or give a directory of wheels',
  ],
  [
    /no-build|only-binary|has no usable wheels|no wheels with a matching|building source distributions is disabled/i,
    'there is no wheel for this Python and platform',
    'Ask for another version, give a directory with a wheel, or allow builds',
  ],
  [
    /requires-?python|does not satisfy Python|Requires-Python|current Python version/i,
    'the package is for another Python',
    'Ask for another Python version or another version of the package',
  ],
  [
    /not found in the (package registry|provided package locations)|No matching distribution|Could not find a version|There is no version/i,
    'the index has no such package or version',
    'Check the spelling and the version',
  ],
  [
    /unsatisfiable|conflict|ResolutionImpossible|incompatible/i,
    'no set of versions satisfies the requirements',
    'Loosen the requirements',
  ],
  [
    /Failed to build|build backend|subprocess-exited-with-error|metadata-generation-failed/i,
    'a package could not be built',
    'Install what its build needs, or give a wheel',
  ],
  [
    /Failed to parse|Expected package name|Invalid requirement|Couldn't parse/i,
    'a requirement cannot be read',
    'Write it as the packaging standard says, for example numpy>=1.26',
  ],
  [
    /Permission denied|EACCES|Read-only file system/i,
    'a directory may not be written',
    'Choose a cache directory that may be written',
  ],
];

/** @returns `DEPENDENCIES_FAILED` with the installer's last lines as `stderrTail` */
export function installFailure(failed: FailedInstall): ProvisionError {
  const { outcome } = failed;
  const lines = `${outcome.stdout}\n${outcome.stderr}`.split(/\r?\n/).filter((line) => line.trim() !== '');
  // uv folds its sentences and draws lines before them.
  const text = lines.join(' ').replace(/[\s│├╰─▶×]+/g, ' ');
  const [, cause, fix] = CAUSES.find(([pattern]) => pattern.test(text)) ?? [undefined, endOf(outcome), undefined];
  const whose = failed.plugin === undefined ? 'Dependencies' : `Dependencies of plugin '${failed.plugin}'`;
  return new ProvisionError('DEPENDENCIES_FAILED', `${whose} could not be installed by ${failed.installer}: ${cause}`, {
    plugin: failed.plugin,
    hint: fix ?? "Read the installer's words in stderrTail",
    stderrTail: lines.slice(-TAIL_LINES),
    cause: outcome.startError,
    details: {
      installer: failed.installer,
      requirements: failed.requirements,
      exitCode: outcome.exitCode,
      pythonVersion: failed.pythonVersion,
      stdout: outcome.stdout,
      stderr: outcome.stderr,
    },
  });
}

function endOf(outcome: ToolOutcome): string {
  if (outcome.startError !== undefined) return `it cannot be run (${outcome.startError.code ?? 'unknown error'})`;
  return outcome.signal === null ? `exit status ${outcome.exitCode ?? 'unknown'}` : `ended by ${outcome.signal}`;
}

/** The environment variables of a child process: an allow-list, what the host grants, and nothing else. */

/** Variables of the host that every child gets, where the host has them. Pinned by a test. */
export const PASSED_VARIABLES: readonly string[] = [
  'PATH',
  'HOME',
  'LANG',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
];

/** What a program on Windows needs to start at all. Names are compared without case there. */
export const PASSED_ON_WINDOWS: readonly string[] = [
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROCESSOR_ARCHITECTURE',
  'NUMBER_OF_PROCESSORS',
];

/** What the host hands over beside the allow-list. */
export interface Grants {
  /** Variables with their values. They win over everything else. */
  readonly grants?: Readonly<Record<string, string>> | undefined;
  /** Names of host variables to pass on. */
  readonly pass?: readonly string[] | undefined;
}

/**
 * Chooses what a child may know of the host's environment (W17), and forces UTF-8 on it and on every Python that it
 * starts itself (W18). No other `PYTHON…` variable of the host reaches a child unless it is granted by name.
 */
export function childEnvironment(hostEnv: NodeJS.ProcessEnv, options: Grants): Record<string, string> {
  const chosen: Record<string, string> = {};
  const isWindows = process.platform === 'win32';
  const passed = [...PASSED_VARIABLES, ...(isWindows ? PASSED_ON_WINDOWS : []), ...(options.pass ?? [])];
  const folded = isWindows ? new Set(passed.map((name) => name.toUpperCase())) : new Set(passed);
  // Values are read one by one: each costs a call into the system where `hostEnv` is `process.env`.
  for (const name of Object.keys(hostEnv)) {
    const value =
      folded.has(isWindows ? name.toUpperCase() : name) || name.startsWith('LC_') ? hostEnv[name] : undefined;
    if (value !== undefined) chosen[name] = value;
  }
  return { ...chosen, PYTHONUTF8: '1', ...options.grants };
}

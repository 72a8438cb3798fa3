/** What an installer may know of the host: the allow-list, and how the operator configured pip and uv. */
import { existsSync } from 'node:fs';
import { childEnvironment } from './child-environment.ts';

/** Variables by which pip and uv are told where packages come from, and caches kept. */
export const INSTALLER_VARIABLES: readonly RegExp[] = [
  /^PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CERT|CLIENT_CERT|TRUSTED_HOST|PROXY|CONFIG_FILE|CACHE_DIR)$/,
  /^PIP_(DEFAULT_TIMEOUT|RETRIES|KEYRING_PROVIDER|CONSTRAINT)$/,
  /^UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INDEX_STRATEGY|INSECURE_HOST|OFFLINE)$/,
  /^UV_(CONFIG_FILE|CACHE_DIR|LINK_MODE|HTTP_TIMEOUT|NATIVE_TLS|SYSTEM_CERTS|KEYRING_PROVIDER|CONSTRAINT)$/,
  /^UV_(PYTHON_INSTALL_MIRROR|PYTHON_DOWNLOADS|CONCURRENT_DOWNLOADS|CONCURRENT_INSTALLS)$/,
  /^UV_INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)$/,
  /^(XDG_CACHE_HOME|XDG_CONFIG_HOME|NETRC)$/,
];

/** What uv calls the variables of pip. It reads none of pip's. */
const PIP_TO_UV: readonly (readonly [pip: string, uv: string])[] = [
  ['PIP_INDEX_URL', 'UV_DEFAULT_INDEX'],
  ['PIP_EXTRA_INDEX_URL', 'UV_INDEX'],
  ['PIP_FIND_LINKS', 'UV_FIND_LINKS'],
  ['PIP_CERT', 'SSL_CERT_FILE'],
  ['PIP_NO_INDEX', 'UV_NO_INDEX'],
  ['PIP_CONSTRAINT', 'UV_CONSTRAINT'],
];

/** The whole environment of an installer. A host that configured only pip has configured uv as well. */
export function installerEnvironment(hostEnv: NodeJS.ProcessEnv): Record<string, string> {
  const pass = Object.keys(hostEnv).filter((name) => INSTALLER_VARIABLES.some((pattern) => pattern.test(name)));
  const env = childEnvironment(hostEnv, { pass });
  const translated: Record<string, string> = {};
  for (const [pip, uv] of PIP_TO_UV) {
    const value = pip === 'PIP_FIND_LINKS' ? presentLinks(env[pip]) : env[pip];
    if (value !== undefined && value !== '' && env[uv] === undefined) translated[uv] = value;
  }
  const quiet = { NO_COLOR: '1', UV_NO_PROGRESS: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  return { ...env, ...translated, ...quiet };
}

/** pip passes over a directory that is not there; uv fails. */
function presentLinks(value: string | undefined): string | undefined {
  const places = value?.split(/[\s,]+/).filter((place) => place !== '');
  return places?.filter((place) => /^[a-z][a-z0-9+.-]*:\/\//i.test(place) || existsSync(place)).join(',');
}

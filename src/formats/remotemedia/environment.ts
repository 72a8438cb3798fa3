/** The environment variables of the original that count for a host (spec 2.6, 4.8). Read in one place, from a given environment. */

/** Variables by name, as in `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Base addresses of the four services that a source plugin comes from. */
export interface GithubBases {
  readonly api: string;
  readonly raw: string;
  readonly codeload: string;
  readonly release: string;
}

/** The four base addresses: variables first, then GitHub's own. A slash at the end is dropped. */
export function githubBases(env: Variables): GithubBases {
  const base = (name: string, standard: string): string => {
    const given = env[`REMOTEMEDIA_GITHUB_${name}_BASE`];
    return (given === undefined || given === '' ? standard : given).replace(/\/+$/u, '');
  };
  return {
    api: base('API', 'https://api.github.com'),
    raw: base('RAW', 'https://raw.githubusercontent.com'),
    codeload: base('CODELOAD', 'https://codeload.github.com'),
    release: base('RELEASE', 'https://github.com'),
  };
}

/** Milliseconds of work per input, where the variable says so. */
export function nodeTimeoutMs(env: Variables): number | undefined {
  return positive(env['REMOTEMEDIA_NODE_TIMEOUT_MS']);
}

/** R47: whether late subscribers of `__system__` get what has been told before. */
export function replaysSystem(env: Variables): boolean {
  const given = env['RUNTIME_DISABLE_SYSTEM_REPLAY'];
  return given === undefined || given === '' || given === '0' || given === 'false';
}

/** Whether constructors are called in the literal order of the original (spec 5.5). */
export function usesStrictConstructors(env: Variables): boolean {
  return env['REMOTEMEDIA_STRICT_CTOR'] === '1';
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && text.trim() !== '' && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Where GitHub's four services are: a format may name other bases, as its original does. */

/** Base addresses without a slash at the end. */
export interface GithubBases {
  readonly api: string;
  readonly raw: string;
  readonly codeload: string;
  readonly release: string;
}

/** GitHub's own. */
export const GITHUB_BASES: GithubBases = {
  api: 'https://api.github.com',
  raw: 'https://raw.githubusercontent.com',
  codeload: 'https://codeload.github.com',
  release: 'https://github.com',
};

/** Hosts that may see a GitHub token, over https only (R26). */
const TOKEN_HOSTS: ReadonlySet<string> = new Set(
  Object.values(GITHUB_BASES).map((base: string) => new URL(base).hostname),
);

/** Whether a request to this address may carry a GitHub token. */
export function maySeeToken(url: URL): boolean {
  return url.protocol === 'https:' && url.port === '' && TOKEN_HOSTS.has(url.hostname);
}

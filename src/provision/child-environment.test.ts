import { describe, expect, it } from 'vitest';
import { childEnvironment, PASSED_VARIABLES } from './child-environment.ts';

describe.skipIf(process.platform === 'win32')('childEnvironment()', () => {
  it('childEnvironment() passes on this list and nothing else (W17)', () => {
    expect(PASSED_VARIABLES).toEqual([
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
    ]);
    const host = { ...Object.fromEntries(PASSED_VARIABLES.map((name) => [name, name])), LC_ALL: 'C', LC_TIME: 'C' };
    const secrets = {
      OBSCURA_SECRET: 's3cret',
      DATABASE_URL: 'postgres://u:p@h/d',
      AWS_SECRET_ACCESS_KEY: 'x',
      Path: 'x',
    };
    expect(childEnvironment({ ...host, ...secrets, USER: undefined }, {})).toEqual({ ...host, PYTHONUTF8: '1' });
  });

  it("childEnvironment() keeps the host's Python settings away and forces UTF-8 (W18)", () => {
    const host = { PYTHONHOME: '/nonexistent', PYTHONIOENCODING: 'ascii', PYTHONINSPECT: '1', PYTHONPATH: '/opt/a' };
    expect(childEnvironment(host, {})).toEqual({ PYTHONUTF8: '1' });
  });

  it('childEnvironment() adds what is granted, by value or by name', () => {
    const granted = childEnvironment(
      { LANG: 'C', TOKEN: 'from-host', OTHER: 'kept' },
      { grants: { LANG: 'de_DE.UTF-8', BASE_URL: 'http://127.0.0.1' }, pass: ['TOKEN', 'ABSENT'] },
    );
    expect(granted).toEqual({ LANG: 'de_DE.UTF-8', BASE_URL: 'http://127.0.0.1', TOKEN: 'from-host', PYTHONUTF8: '1' });
  });
});

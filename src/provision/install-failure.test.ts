import { describe, expect, it } from 'vitest';
import { installFailure } from './install-failure.ts';

function failure(stderr: string, more: object = {}): ReturnType<typeof installFailure> {
  const outcome = { exitCode: 1, signal: null, stdout: 'Collecting x\n', stderr, isTimedOut: false, ...more };
  return installFailure({ installer: 'pip', requirements: ['x'], outcome, plugin: 'echo', pythonVersion: '3.11.7' });
}

describe('installFailure()', () => {
  it('installFailure() carries the words of the installer on both streams (R53)', () => {
    const error = failure('ERROR: No matching distribution found for x\n');
    expect(error).toMatchObject({
      code: 'DEPENDENCIES_FAILED',
      plugin: 'echo',
      message: "Dependencies of plugin 'echo' could not be installed by pip: the index has no such package or version",
      hint: 'Check the spelling and the version',
      stderrTail: ['Collecting x', 'ERROR: No matching distribution found for x'],
      details: { stdout: 'Collecting x\n', exitCode: 1, requirements: ['x'] },
    });
  });

  it.each([
    [
      'Because x was not found in the package registry and you require x, your requirements are unsatisfiable.',
      'no such package',
    ],
    [
      '  × No solution found:\n  ╰─▶ Because x was not found in the provided package\n      locations and you require x,\n      your requirements are unsatisfiable.',
      'no such package',
    ],
    ['Because x==1 has no usable wheels and you require x==1, your requirements are unsatisfiable.', 'no wheel'],
    ['Because a depends on b<1 and c depends on b>2, your requirements are unsatisfiable.', 'no set of versions'],
    ['error: Failed to fetch: `https://pypi.org/simple/x/`', 'could not be reached'],
    ['NewConnectionError: [Errno -3] Temporary failure in name resolution', 'could not be reached'],
    ['Packages were unavailable because the network was disabled.', 'may not be used'],
    ['ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device', 'disk is full'],
    ['invalid peer certificate: UnknownIssuer', 'certificate is not trusted'],
    ['ERROR: Package x requires a different Python: 3.9.1 not in >=3.12; requires-python', 'another Python'],
    ['/usr/bin/python3: No module named venv', 'without venv or pip'],
    ["error: Couldn't parse requirement in `requirements.txt` at position 0", 'cannot be read'],
  ])('installFailure() reads %j as %j', (words, cause) => {
    const error = failure(words);
    expect(error.message).toContain(cause);
    expect(error.hint).toBeTruthy();
  });

  it('installFailure() says how an installer ended that gave no reason', () => {
    expect(failure('', { exitCode: 9 }).message).toContain('exit status 9');
    expect(failure('', { exitCode: null, signal: 'SIGKILL' }).message).toContain('ended by SIGKILL');
  });
});

/** Every error code is explained on the errors page, every code there exists, and every code is met by a test. */
import { ERROR_CODES } from '../src/errors.ts';
import { projectFiles, readProjectFile, report } from './source-files.ts';

const PAGE = 'docs/reference/errors.md';

const explained = new Set([...readProjectFile(PAGE).matchAll(/^#{2,4} `([A-Z_]+)`/gm)].map((match) => match[1] ?? ''));
const codes = Object.keys(ERROR_CODES);
const tests = projectFiles()
  .filter((path) => /\.(test|case)\.ts$/.test(path) || /^test\/|\/tests\/test_.*\.py$/.test(path))
  .filter((path) => /\.(ts|py)$/.test(path))
  .map((path) => readProjectFile(path))
  .join('\n');

report('errors', [
  ...codes.filter((code) => !explained.has(code)).map((code) => `'${code}' is not explained in ${PAGE}`),
  ...[...explained]
    .filter((code) => !codes.includes(code))
    .map((code) => `${PAGE} explains '${code}', which does not exist`),
  ...codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests)).map((code) => `'${code}' is met by no test`),
]);

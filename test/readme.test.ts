import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';

import { charmer } from './command-line.ts';
import { root, temporaryDirectory } from './test-host.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const fences = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

describe('README.md', () => {
  it('README.md shows working code before line 30, and its real output', () => {
    const code = fences.findIndex(({ language }) => language === 'ts');
    const lineOfCode = readme.slice(0, readme.indexOf('```ts')).split('\n').length;
    expect(lineOfCode).toBeLessThan(30);
    const script = join(temporaryDirectory(), 'readme.mjs');
    const library = pathToFileURL(join(root, 'dist/index.js')).href;
    writeFileSync(script, (fences[code]?.text ?? '').replace(`'charmer'`, `'${library}'`));
    const run = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe(fences[code + 1]?.text);
  });

  it('README.md pastes an error as it is printed', async () => {
    const shown = fences.find(({ text }) => text.startsWith('$ charmer call'));
    const [, ...lines] = (shown?.text ?? '').split('\n');
    const { stderr } = await charmer(['call', join(root, 'examples/02-call-a-method/my-greeter'), 'gret', 'World']);
    expect(stderr).toBe(lines.join('\n'));
  });

  it('README.md shows the plugin that it calls', () => {
    const python = fences.find(({ language }) => language === 'python')?.text ?? '';
    const source = readFileSync(join(root, 'examples/02-call-a-method/my-greeter/greeter.py'), 'utf8');
    const squeeze = (text: string): string => text.replaceAll(/\n+/g, '\n').trim();
    expect(squeeze(source)).toContain(squeeze(python));
  });
});

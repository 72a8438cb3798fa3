import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineMachine } from './examine-machine.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-machine-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('examineMachine()', () => {
  it('examineMachine() reports interpreter, installer, cache, shared memory and confinement', async () => {
    const report = await examineMachine({ env: process.env, cacheDir: join(root, 'cache') });
    expect(report.findings.map(({ name }) => name)).toEqual([
      'python',
      'uv',
      'cache',
      'shared memory',
      'landlock',
      'bubblewrap',
    ]);
    const [python] = report.interpreters;
    expect(report.findings[0]).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(`${python?.version} at ${python?.path}`),
    });
    expect(report.findings[2]).toEqual({ name: 'cache', status: 'ok', detail: join(root, 'cache') });
    expect(report.findings[4]?.status).toBe(report.landlockAbi > 0 ? 'ok' : 'limited');
  });

  it('examineMachine() gives the step that mends each lack', async () => {
    writeFileSync(join(root, 'file'), '');
    const report = await examineMachine({ env: { PATH: root, HOME: root }, cacheDir: join(root, 'file', 'cache') });
    const lacking = report.findings.filter(({ name }) => ['python', 'uv', 'cache', 'bubblewrap'].includes(name));
    expect(lacking.map(({ status }) => status)).toEqual(['missing', 'limited', 'missing', 'limited']);
    for (const finding of lacking) if (process.platform === 'linux') expect(finding.fix).toBeTruthy();
    expect(report.interpreters).toEqual([]);
  });
});

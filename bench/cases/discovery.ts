import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { load } from 'js-yaml';
import { parse } from 'smol-toml';

import { createHost } from '../../src/index.ts';
import { assertSame, interleave, ratioOf } from '../measure.ts';
import { gate, type CaseReport } from '../report.ts';
import type { Setting } from '../setting.ts';

const COUNT = 1000;
const FLOOR = 'reading and parsing the same files';
const OURS = 'host.discover()';

/** A thousand manifests, half of them TOML and half YAML. */
export async function discovery({ scratch, rounds }: Setting): Promise<CaseReport> {
  const directory = join(scratch, 'plugins');
  for (let index = 0; index < COUNT; index += 1) writePlugin(directory, index);
  const host = createHost();
  try {
    const measured = await interleave(
      [
        { name: FLOOR, repeat: 1, run: async () => assertSame(readAll(directory), COUNT) },
        {
          name: OURS,
          repeat: 1,
          run: async () =>
            assertSame((await host.discover([directory])).filter(({ status }) => status === 'ok').length, COUNT),
        },
      ],
      rounds,
    );
    const ratio = ratioOf(measured, OURS, FLOOR);
    return {
      title: 'Discovering 1,000 plugins',
      rows: [...measured.values()],
      gates: [gate({ what: OURS, against: FLOOR, atMost: 2, unit: '×' }, ratio.median, ratio)],
    };
  } finally {
    await host.close();
  }
}

function readAll(directory: string): number {
  let parsed = 0;
  for (const name of readdirSync(directory)) {
    for (const file of readdirSync(join(directory, name))) {
      const text = readFileSync(join(directory, name, file), 'utf8');
      parsed += Object.keys(file.endsWith('.toml') ? parse(text) : (load(text) as object)).length > 0 ? 1 : 0;
    }
  }
  return parsed;
}

function writePlugin(directory: string, index: number): void {
  const name = `plugin-${String(index).padStart(4, '0')}`;
  mkdirSync(join(directory, name), { recursive: true });
  const filler = Array.from({ length: 15 }, (_, line) => `note_${line}`);
  if (index % 2 === 0) {
    const head = `[package]\nname = "${name}"\nversion = "1.0.${index}"\ninterface = "i"\ninterface_version = 1\nruntime = "python"\n`;
    const notes = filler.map((key) => `${key} = "a line of text for people"\n`).join('');
    writeFileSync(
      join(directory, name, 'package.toml'),
      `${head}\n[metadata]\n${notes}\n[python]\nentry_module = "entry"\n`,
    );
    return;
  }
  const notes = filler.map((key) => `${key}: a line of text for people\n`).join('');
  const head = `id: ${name}\nname: Plugin ${index}\nversion: '1.0.${index}'\nruntime: python\nscript:\n  - python\n  - main.py\n`;
  writeFileSync(join(directory, name, 'manifest.yml'), `${head}${notes}capabilities:\n  movieByName: true\n`);
}

import { everyFormat } from './every-format.case.ts';
import { fidius } from './fidius/index.ts';
import { obscura } from './obscura/index.ts';
import { remotemedia } from './remotemedia/index.ts';

everyFormat({
  format: remotemedia,
  files: {
    'plugin.toml':
      '[plugin]\nname = "p"\nversion = "1"\nlanguage = "python"\n[python]\nentry_module = "entry"\nnode_types = ["N"]\n',
    'entry.py': '',
  },
  broken: '[plugin]\nname = \n',
});

everyFormat({
  format: fidius,
  files: {
    'package.toml':
      '[package]\nname = "p"\nversion = "1"\ninterface = "i"\ninterface_version = 1\nruntime = "python"\n[metadata]\n[python]\nentry_module = "entry"\n',
    'entry.py': '',
  },
  broken: '[package]\nname = \n',
});

everyFormat({
  format: obscura,
  files: {
    'manifest.yml':
      'id: p\nname: P\nversion: 1.0.0\nruntime: python\nscript: [python, main.py]\ncapabilities: {movieByName: true}\n',
    'main.py': '',
  },
  broken: 'id: [1\nname: x\n',
});

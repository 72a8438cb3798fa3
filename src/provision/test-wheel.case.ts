/** A wheel made on the spot, so that tests install something real without an index. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

const MAKE_WHEEL = `
import sys, zipfile
directory, name, version, script = sys.argv[1:]
info = '%s-%s.dist-info' % (name, version)
files = {
    name + '/__init__.py': 'VERSION = %r\\n\\n\\ndef main():\\n    print(__name__, VERSION)\\n' % version,
    info + '/METADATA': 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version),
    info + '/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',
}
if not script:
    files[info + '/entry_points.txt'] = '[console_scripts]\\n%s = %s:main\\n' % (name, name)
else:
    files['%s-%s.data/scripts/%s' % (name, version, name)] = script
files[info + '/RECORD'] = ''.join('%s,,\\n' % path for path in [*files, info + '/RECORD'])
with zipfile.ZipFile('%s/%s-%s-py3-none-any.whl' % (directory, name, version), 'w') as archive:
    for path, text in files.items():
        entry = zipfile.ZipInfo(path)
        entry.external_attr = (0o100755 if '/scripts/' in path else 0o100644) << 16
        archive.writestr(entry, text)
`;

/** Writes a wheel with a module, its `VERSION`, and a command, all of its name; `script` is the text of the command. */
export function makeWheel(
  python: string,
  directory: string,
  wheel: { name: string; version: string; script?: string },
): void {
  mkdirSync(directory, { recursive: true });
  execFileSync(python, ['-I', '-c', MAKE_WHEEL, directory, wheel.name, wheel.version, wheel.script ?? '']);
}

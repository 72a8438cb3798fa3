import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SDK_DIRECTORY } from './conversation.ts';

describe('the fidius SDK for plugins (F19)', () => {
  it('fidius exports exactly five names', () => {
    expect(python('print(sorted(fidius.__all__))')).toBe(
      "['PluginError', 'get_method', 'list_methods', 'method', 'reset_registry']",
    );
  });

  it('method() gives the function back unchanged and refuses a second one of its name', () => {
    const code = `
def greet(): pass
assert fidius.method(greet) is greet
try: fidius.method(greet)
except ValueError as error: print('already registered' in str(error))
fidius.reset_registry()
fidius.method(greet)
print(fidius.list_methods(), fidius.list_methods('elsewhere'))`;
    expect(python(code)).toBe("True\n['greet'] []");
  });

  it('get_method() wants a module where a name is ambiguous or unknown', () => {
    const code = `
def go(): return 1
other = lambda: 2
other.__module__, other.__name__ = 'other', 'go'
fidius.method(go); fidius.method(other)
print(fidius.get_method('go', '__main__')(), fidius.get_method('go', 'other')())
for arguments in (('go',), ('absent',), ('go', 'absent')):
    try: fidius.get_method(*arguments)
    except KeyError: print('KeyError')`;
    expect(python(code)).toBe('1 2\nKeyError\nKeyError\nKeyError');
  });

  it('PluginError keeps code, message and details', () => {
    const code = `
error = fidius.PluginError('BAD', 'not so', {'a': 1})
print(error.args, str(error), error.code, error.message, error.details, fidius.PluginError('C', 'm').details)`;
    expect(python(code)).toBe("('not so',) not so BAD not so {'a': 1} None");
  });
});

function python(code: string): string {
  const source = `import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1]); import fidius\n${code}`;
  return execFileSync('python3', ['-I', '-c', source, SDK_DIRECTORY], { encoding: 'utf8' }).trim();
}

"""Reads stubs, a JSON list of texts on standard input, and prints what Python's own parser finds in each."""

import ast
import json
import sys
import types


def read(text, index):
    try:
        module = types.ModuleType(f'stub_{index}')
        tree = ast.parse(text)
        exec(compile(tree, module.__name__, 'exec'), module.__dict__)
    except Exception as error:
        return {'importable': f'{type(error).__name__}: {error}', 'hash': '', 'imports': [], 'found': [], 'methods': []}
    lines = text.split('\n')
    return {
        'importable': None,
        'hash': f'0x{module.__interface_hash__:016x}',
        'imports': [line for line in lines if line.startswith(('from ', 'import '))],
        'found': sorted(vars(module)),
        'methods': [method(node, lines) for node in tree.body if isinstance(node, ast.FunctionDef)],
    }


def method(node, lines):
    first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
    start = first - 1
    while start > 0 and lines[start - 1].startswith('#'):
        start -= 1
    return {
        'name': node.name,
        'decorated': [ast.unparse(each) for each in node.decorator_list] == ['method'],
        'params': [[argument.arg, ast.unparse(argument.annotation)] for argument in node.args.args],
        'returns': ast.unparse(node.returns),
        'comments': lines[start : first - 1],
    }


sys.path.insert(0, sys.argv[1])
json.dump([read(text, index) for index, text in enumerate(json.load(sys.stdin))], sys.stdout)

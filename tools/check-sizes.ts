/** Files, functions and parameter lists stay within the sizes of the style guide. */
import { execFileSync } from 'node:child_process';

import ts from 'typescript';

import { librarySources, projectFiles, readProjectFile, report, repositoryRoot } from './source-files.ts';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 80;
const MAX_PARAMETERS = 3;
const MAX_PYTHON_FUNCTION_LINES = 60;
const MAX_RUNNER_LINES = 1600;

const python = projectFiles().filter((path) => /^(runner|src)\/.*\.py$/.test(path) && !path.includes('/tests/'));
report('sizes', [...librarySources().flatMap(checkTypeScript), ...checkPython(), ...checkRunner()]);

function checkTypeScript(path: string): string[] {
  const text = readProjectFile(path);
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const findings: string[] = [];
  const lines = codeLines(text);
  if (lines > MAX_FILE_LINES) findings.push(`'${path}' has ${lines} code lines; at most ${MAX_FILE_LINES}`);
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined)
      findings.push(...checkFunction(path, source, node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

function checkFunction(path: string, source: ts.SourceFile, node: ts.SignatureDeclaration): string[] {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
  const where = `'${path}:${first + 1}'`;
  const findings: string[] = [];
  const length = codeLines(node.getText(source));
  if (length > MAX_FUNCTION_LINES && !isSuite(node)) {
    findings.push(`the function at ${where} has ${length} lines (to ${last + 1}); at most ${MAX_FUNCTION_LINES}`);
  }
  const parameters = node.parameters.filter((parameter) => parameter.dotDotDotToken === undefined);
  if (parameters.length > MAX_PARAMETERS) {
    findings.push(`the function at ${where} has ${parameters.length} parameters; at most ${MAX_PARAMETERS}`);
  }
  return findings;
}

/** A class body or module is no function; only its members count. */
function isSuite(node: ts.SignatureDeclaration): boolean {
  return node.kind === ts.SyntaxKind.Constructor;
}

function codeLines(text: string): number {
  const withoutBlocks = text.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  return withoutBlocks.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
}

function checkPython(): string[] {
  if (python.length === 0) return [];
  const script = `
import ast, json, sys
rows = []
for path in json.load(sys.stdin):
    text = open(path, encoding='utf-8').read()
    rows.append([path, 'file', sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith('#'))])
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            rows.append([f'{path}:{node.lineno}', 'function', node.end_lineno - node.lineno + 1])
print(json.dumps(rows))`;
  const output = execFileSync('python3', ['-c', script], {
    cwd: repositoryRoot,
    input: JSON.stringify(python),
    encoding: 'utf8',
  });
  const rows = JSON.parse(output) as [string, 'file' | 'function', number][];
  return rows.flatMap(([where, kind, lines]) => {
    const most = kind === 'file' ? MAX_FILE_LINES : MAX_PYTHON_FUNCTION_LINES;
    return lines > most ? [`the ${kind} at '${where}' has ${lines} lines; at most ${most}`] : [];
  });
}

function checkRunner(): string[] {
  const files = python.filter((path) => path.startsWith('runner/_charmer/') || path === 'runner/charmer_runner.py');
  const script = `
import ast, json, sys
total = 0
for path in json.load(sys.stdin):
    text = open(path, encoding='utf-8').read()
    words = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node):
            words.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    total += sum(1 for number, line in lines if line.strip() and not line.strip().startswith('#') and number not in words)
print(total)`;
  const output = execFileSync('python3', ['-c', script], {
    cwd: repositoryRoot,
    input: JSON.stringify(files),
    encoding: 'utf8',
  });
  const lines = Number(output);
  return lines > MAX_RUNNER_LINES ? [`the generic runner has ${lines} code lines; at most ${MAX_RUNNER_LINES}`] : [];
}

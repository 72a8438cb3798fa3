/**
 * Links in the documents lead somewhere, and every exported symbol of the library says what it is. Lines without a blank
 * one between them are a group, for which the docstring of its first member speaks.
 */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';

import ts from 'typescript';

import { librarySources, projectFiles, readProjectFile, report, repositoryRoot } from './source-files.ts';

const documents = projectFiles().filter((path) => path.endsWith('.md') && !path.startsWith('fixtures/'));
report('docs', [...documents.flatMap(brokenLinks), ...librarySources().flatMap(undocumented)]);

function brokenLinks(path: string): string[] {
  const text = readProjectFile(path).replaceAll(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const target = (match[1] ?? '').split('#')[0] ?? '';
    if (target === '' || /^[a-z]+:/.test(target)) return [];
    const file = posix.normalize(posix.join(posix.dirname(path), target));
    return existsSync(join(repositoryRoot, file)) ? [] : [`'${path}' links to '${target}', which is not there`];
  });
}

function undocumented(path: string): string[] {
  const source = ts.createSourceFile(path, readProjectFile(path), ts.ScriptTarget.ES2022, true);
  let isInDocumentedGroup = false;
  return source.statements.flatMap((statement) => {
    const isAlone =
      /^\s*\n\s*\n/.test(statement.getFullText(source)) || statement.getFullText(source).trimStart().startsWith('/**');
    if (isAlone) isInDocumentedGroup = ts.getJSDocCommentsAndTags(statement).length > 0;
    if (!isExportedDeclaration(statement) || isInDocumentedGroup) return [];
    const line = source.getLineAndCharacterOfPosition(statement.getStart(source)).line + 1;
    return [`the symbol exported at '${path}:${line}' has no docstring`];
  });
}

function isExportedDeclaration(statement: ts.Statement): boolean {
  if (!ts.canHaveModifiers(statement) || ts.isImportDeclaration(statement)) return false;
  return ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

/** Source notebooks: which files are one, in which language, and under which name. */
import type { workspaceFormats, workspaceLanguages } from '@headrace/api';
import { convertJupyter } from './jupyter.ts';

export type WorkspaceLanguage = (typeof workspaceLanguages)[number];
export type WorkspaceFormat = (typeof workspaceFormats)[number];

interface LanguageFacts {
  readonly extension: string;
  /** The first line of a source notebook: a fact of the file format. */
  readonly header: string;
}

export const languageFacts = {
  PYTHON: { extension: '.py', header: '# Databricks notebook source' },
  SQL: { extension: '.sql', header: '-- Databricks notebook source' },
  SCALA: { extension: '.scala', header: '// Databricks notebook source' },
  R: { extension: '.r', header: '# Databricks notebook source' },
} as const satisfies Record<WorkspaceLanguage, LanguageFacts>;

export type ImportPlan =
  | { readonly kind: 'file'; readonly path: string; readonly content: Buffer }
  | {
      readonly kind: 'notebook';
      readonly path: string;
      readonly content: Buffer;
      readonly language: WorkspaceLanguage;
    };

/**
 * With AUTO, extension and first line decide. With SOURCE and a language it is a notebook whatever its first line
 * says, which is then added, so that every stored notebook tells what it is.
 */
export function planImport(request: {
  readonly path: string;
  readonly format: 'SOURCE' | 'AUTO' | 'RAW' | 'JUPYTER';
  readonly language: WorkspaceLanguage | undefined;
  readonly content: Buffer;
}): ImportPlan {
  const { path, format, content } = request;
  if (format === 'JUPYTER')
    return { kind: 'notebook', path: path.replace(/\.ipynb$/i, ''), ...convertJupyter(content) };
  const byName = findLanguageByName(path);
  const hasHeader = byName !== null && startsWithHeader(content, languageFacts[byName].header);
  const asked = format === 'SOURCE' ? request.language : undefined;
  if (format === 'RAW' || (asked === undefined && !hasHeader)) return { kind: 'file', path, content };
  const language = asked ?? byName;
  if (!language) return { kind: 'file', path, content };
  const { extension, header } = languageFacts[language];
  return {
    kind: 'notebook',
    language,
    path: path.toLowerCase().endsWith(extension) ? path.slice(0, -extension.length) : path,
    content: startsWithHeader(content, header)
      ? content
      : Buffer.concat([Buffer.from(`${header}\n`), content]),
  };
}

function findLanguageByName(path: string): WorkspaceLanguage | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const found = Object.entries(languageFacts).find(
    ([, { extension }]) => name.endsWith(extension) && name !== extension,
  );
  return (found?.[0] as WorkspaceLanguage | undefined) ?? null; // The keys are the languages.
}

/** Editors on Windows put a byte order mark before and a carriage return after it. */
function startsWithHeader(content: Buffer, header: string): boolean {
  const line = content
    .subarray(0, header.length + 8)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)[0];
  return line?.trimEnd() === header;
}

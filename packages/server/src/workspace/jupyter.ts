/** A notebook of Jupyter as a source notebook, which is what the workspace holds. Outputs are left behind. */
import { ApiError } from '@headrace/api';
import { z } from 'zod';
import type { WorkspaceLanguage } from './notebook-source.ts';

/** Exports of hosted workspaces keep the notebook's own facts here. */
const notebookFacts = 'application/vnd.databricks.v1+notebook';
const cellFacts = 'application/vnd.databricks.v1+cell';

const Cell = z.looseObject({
  cell_type: z.string(),
  source: z.union([z.string(), z.array(z.string())]).default(''),
  metadata: z
    .looseObject({ [cellFacts]: z.looseObject({ title: z.string() }).partial().optional() })
    .optional(),
});

const Notebook = z.looseObject({
  cells: z.array(Cell),
  metadata: z
    .looseObject({
      [notebookFacts]: z.looseObject({ language: z.string() }).partial().optional(),
      kernelspec: z.looseObject({ language: z.string() }).partial().optional(),
      language_info: z.looseObject({ name: z.string() }).partial().optional(),
    })
    .optional(),
});

const comments = { PYTHON: '#', R: '#', SQL: '--', SCALA: '//' } as const satisfies Record<
  WorkspaceLanguage,
  string
>;

export function convertJupyter(content: Buffer): {
  readonly language: WorkspaceLanguage;
  readonly content: Buffer;
} {
  const { cells, metadata } = parseNotebook(content);
  const language = languageOf(
    metadata?.[notebookFacts]?.language ?? metadata?.kernelspec?.language ?? metadata?.language_info?.name,
  );
  const comment = comments[language];
  const texts = cells.map((cell) => toSource(cell, comment));
  const source = texts.join(`\n\n${comment} COMMAND ----------\n\n`);
  return { language, content: Buffer.from(`${comment} Databricks notebook source\n${source}\n`) };
}

function parseNotebook(content: Buffer): z.output<typeof Notebook> {
  const notebook = Notebook.safeParse(parseJson(content.toString('utf8')));
  if (notebook.success) return notebook.data;
  throw new ApiError('INVALID_PARAMETER_VALUE', 'content: this is no Jupyter notebook of format 4');
}

/** Null is no notebook either. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What no workspace knows runs as Python, if it runs at all. */
function languageOf(name: string | undefined): WorkspaceLanguage {
  const upper = name?.toUpperCase();
  return upper === 'SQL' || upper === 'SCALA' || upper === 'R' ? upper : 'PYTHON';
}

function toSource({ cell_type: kind, source, metadata }: z.output<typeof Cell>, comment: string): string {
  const text = Array.isArray(source) ? source.join('') : source;
  const title = metadata?.[cellFacts]?.title;
  const head = title ? `${comment} DBTITLE 1,${title.replace(/\s+/g, ' ')}\n` : '';
  if (kind === 'code' && !/^\s*%/.test(text)) return head + text;
  const lines = kind === 'code' || text.startsWith('%md') ? text : `%md\n${text}`;
  return head + lines.replace(/^/gm, `${comment} MAGIC `);
}

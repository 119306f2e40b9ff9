import { expect, test } from 'vitest';
import { convertJupyter } from './jupyter.ts';

const convert = (document: object) => {
  const { language, content } = convertJupyter(Buffer.from(JSON.stringify(document)));
  return { language, source: content.toString() };
};

test('cells, magics, titles and markdown become a source notebook', () => {
  const { language, source } = convert({
    nbformat: 4,
    metadata: { kernelspec: { language: 'python' } },
    cells: [
      { cell_type: 'markdown', source: ['# Title\n', '\n', 'text'] },
      { cell_type: 'code', source: ['x = 1\n', 'x'], outputs: [{ data: {} }], execution_count: 3 },
      {
        cell_type: 'code',
        source: '%pip install y\nimport y',
        metadata: { 'application/vnd.databricks.v1+cell': { title: 'Get\ny' } },
      },
      { cell_type: 'code', source: '%%sql\nselect 1' },
    ],
  });

  expect(language).toBe('PYTHON');
  expect(source).toBe(`# Databricks notebook source
# MAGIC %md
# MAGIC # Title
# MAGIC 
# MAGIC text

# COMMAND ----------

x = 1
x

# COMMAND ----------

# DBTITLE 1,Get y
# MAGIC %pip install y
# MAGIC import y

# COMMAND ----------

# MAGIC %%sql
# MAGIC select 1
`);
});

test.each([
  [
    { 'application/vnd.databricks.v1+notebook': { language: 'sql' } },
    'SQL',
    '-- Databricks notebook source\n',
  ],
  [{ language_info: { name: 'scala' } }, 'SCALA', '// Databricks notebook source\n'],
  [{ kernelspec: { language: 'R' } }, 'R', '# Databricks notebook source\n'],
  [{ kernelspec: { language: 'julia' } }, 'PYTHON', '# Databricks notebook source\n'],
])('its language is that of %j', (metadata, language, head) => {
  const converted = convert({ cells: [], metadata });

  expect(converted.language).toBe(language);
  expect(converted.source.startsWith(head)).toBe(true);
});

test.each(['', '{', '[]', '{}', '{"cells": 1}', '{"cells": [{"source": 7}]}'])('%j is refused', (text) => {
  expect(() => convertJupyter(Buffer.from(text))).toThrow('no Jupyter notebook of format 4');
});

import { expect, test } from 'vitest';
import { planImport } from './notebook-source.ts';

const plan = (path: string, text: string, more: Partial<Parameters<typeof planImport>[0]> = {}) =>
  planImport({ path, format: 'AUTO', language: undefined, content: Buffer.from(text), ...more });

test.each([
  ['/a/x.py', '# Databricks notebook source\n1', '/a/x', 'PYTHON'],
  ['/a/x.py', '\uFEFF# Databricks notebook source\r\n1', '/a/x', 'PYTHON'],
  ['/a/x.sql', '-- Databricks notebook source\nselect 1', '/a/x', 'SQL'],
  ['/a/x.scala', '// Databricks notebook source', '/a/x', 'SCALA'],
  ['/a/x.R', '# Databricks notebook source\n1', '/a/x', 'R'],
])('%s with its first line is a notebook', (path, text, stored, language) => {
  expect(plan(path, text)).toMatchObject({ kind: 'notebook', path: stored, language });
});

test.each([
  ['/a/x.py', 'print(1)\n# Databricks notebook source'],
  ['/a/x.py', '# Databricks notebook sources'],
  ['/a/x.txt', '# Databricks notebook source'],
  ['/a/x.sql', '# Databricks notebook source'],
  ['/a/.py', '# Databricks notebook source'],
  ['/a/x', '# Databricks notebook source'],
  ['/a/x.ipynb', '{}'],
])('%s starting %j is a file', (path, text) => {
  expect(plan(path, text)).toMatchObject({ kind: 'file', path });
});

test('asked for as a notebook, any text gets the first line that says so, once', () => {
  const first = plan('/a/x.py', 'print(1)', { format: 'SOURCE', language: 'PYTHON' });
  const second = plan('/a/x', first.content.toString(), { format: 'SOURCE', language: 'PYTHON' });

  expect(first).toMatchObject({ kind: 'notebook', path: '/a/x' });
  expect(second.content.toString()).toBe('# Databricks notebook source\nprint(1)');
});

test('raw stays raw', () => {
  expect(
    plan('/a/x.py', '# Databricks notebook source', { format: 'RAW', language: 'PYTHON' }),
  ).toMatchObject({ kind: 'file' });
});

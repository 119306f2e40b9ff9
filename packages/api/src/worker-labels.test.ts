import { expect, test } from 'vitest';
import { formatIssues } from './format-issues.ts';
import { JobSettings } from './jobs.ts';
import { parseWorkerLabels } from './worker-labels.ts';

function problemsOf(labels: unknown): string {
  const task = { task_key: 'a', spark_python_task: { python_file: '/a.py' } };
  const parsed = JobSettings.safeParse(
    { tasks: [{ ...task, headrace: { worker_labels: labels } }] },
    { reportInput: true },
  );
  return parsed.success ? '' : formatIssues(parsed.error);
}

test.each<[string, unknown, RegExp]>([
  ['no object', 'gpu=yes', /tasks\[0\]\.headrace\.worker_labels: expected an object/],
  ['a number', { gpu: 1 }, /tasks\[0\]\.headrace\.worker_labels\.gpu: expected a text, got the number 1/],
  ['null', { gpu: null }, /worker_labels\.gpu: expected a text, got null/],
  ['an empty name', { '': 'a' }, /worker_labels\[""\]: is no name of a label/],
  ['a name with spaces', { 'a b': 'a' }, /worker_labels\["a b"\]: is no name of a label: 1 to 63/],
  ['a comma', { gpu: 'a,b' }, /worker_labels\.gpu: the value of a label has no commas/],
  ['a line break', { gpu: 'a\nb' }, /worker_labels\.gpu: the value of a label has no commas, line breaks/],
  ['a space at the end', { gpu: 'a ' }, /neither begins nor ends with a space/],
  ['a long value', { gpu: 'a'.repeat(256) }, /expected at most 255 characters/],
  ['a reference', { zone: '{{job.parameters.zone}}' }, /a label is no place for \{\{references\}\}/],
  [
    'too many',
    Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, ''])),
    /expected at most 64 labels/,
  ],
])('a task that asks for %s is refused', (_, labels, told) => {
  expect(problemsOf(labels)).toMatch(told);
});

test('what a worker can be given, a task can ask for', () => {
  const given = parseWorkerLabels(' zone=a, gpu=yes ,disk=,kubernetes.io/arch=a=b c,,');

  const labels = { zone: 'a', gpu: 'yes', disk: '', 'kubernetes.io/arch': 'a=b c' };
  expect(given).toEqual({ labels });
  expect(problemsOf(labels)).toBe('');
});

test('all that is wrong with the labels of a worker is told at once', () => {
  expect(parseWorkerLabels('a b=c,gpu,zone=a')).toEqual({
    problems: ['a b=c is no label; write a=b,c=d', 'gpu is no label; write a=b,c=d'],
  });
  const many = Array.from({ length: 65 }, (_, index) => `l${index}=`).join(',');
  expect(parseWorkerLabels(many)).toEqual({ problems: ['there are 65 labels; at most 64 are allowed'] });
});

/** What a worker is or has, as `a=b`, and what tasks ask of the worker that takes them. */
import { z } from 'zod';

export const workerLabelsMax = 64;
const valueCharsMax = 255;
const namePattern = /^[A-Za-z0-9][\w./-]{0,62}$/;

export type WorkerLabels = Readonly<Record<string, string>>;

/** Those of a worker. */
export const WorkerLabels = z
  .record(z.string().regex(namePattern), z.string().max(valueCharsMax))
  .refine(
    (labels) => Object.keys(labels).length <= workerLabelsMax,
    `expected at most ${workerLabelsMax} labels`,
  );

/** Those that a task asks for. Each must be one that a worker can be given, or nobody would ever take the task. */
export const AskedLabels = z.record(z.string(), z.string()).superRefine((labels, context) => {
  const entries = Object.entries(labels);
  if (entries.length > workerLabelsMax)
    context.addIssue({ code: 'custom', message: `expected at most ${workerLabelsMax} labels` });
  for (const [name, value] of entries) {
    const message = findNameProblem(name) ?? findValueProblem(value);
    if (message !== null) context.addIssue({ code: 'custom', path: [name], message });
  }
});

/** `a=b,c=d`, as people give a worker its labels. */
export function parseWorkerLabels(
  text: string,
): { readonly labels: WorkerLabels } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const labels: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name = '', value = ''] = /^\s*([^=]*)=(.*?)\s*$/s.exec(pair) ?? [];
    if (findNameProblem(name) !== null || findValueProblem(value) !== null)
      problems.push(`${pair.trim()} is no label; write a=b,c=d`);
    else labels[name] = value;
  }
  if (Object.keys(labels).length > workerLabelsMax)
    problems.push(`there are ${Object.keys(labels).length} labels; at most ${workerLabelsMax} are allowed`);
  return problems.length > 0 ? { problems } : { labels };
}

function findNameProblem(name: string): string | null {
  if (namePattern.test(name)) return null;
  return 'is no name of a label: 1 to 63 letters, digits and ._-/, the first a letter or digit';
}

function findValueProblem(value: string): string | null {
  if (value.includes('{{'))
    return 'a label is no place for {{references}}: who may take the task is settled before they are resolved';
  if (value.length > valueCharsMax) return `expected at most ${valueCharsMax} characters`;
  if (/[,\p{Cc}\u2028\u2029]/u.test(value))
    return 'the value of a label has no commas, line breaks or other control characters';
  return value === value.trim() ? null : 'the value of a label neither begins nor ends with a space';
}

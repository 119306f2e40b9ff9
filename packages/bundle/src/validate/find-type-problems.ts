// Values that are not what a schema expects, each placed on the value, with what to write instead. A text with a
// reference in it may become anything and is let through.

import { describeIssue, formatPath } from '@headrace/api';
import type { z } from 'zod';
import { suggest } from '../find-nearest.ts';
import { type Node, at as nodeAt, type Path, positionOf } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';

type Issue = z.core.$ZodIssue;

interface Checked {
  /** Where the values were written. */
  readonly node: Node;
  /** The same values, as they are sent. */
  readonly values: unknown;
  /** `job daily`; empty for the file itself. */
  readonly owner: string;
}

export function findTypeProblems(schema: z.ZodType, { node, values, owner }: Checked): Problem[] {
  const result = schema.safeParse(values, { reportInput: true });
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    const path = issue.path as Path; // A document of YAML has no symbols as keys.
    if (hasReference(nodeAt(node, ...path))) return [];
    const { message, cure } = splitMessage(issue);
    const place = formatPath(path);
    const where = [owner, place].filter((part) => part !== '').join(': ');
    return [errorAt(positionOf(node, path), `${where}: ${message}`, cure)];
  });
}

function hasReference(node: Node | undefined): boolean {
  return node?.kind === 'scalar' && typeof node.value === 'string' && node.value.includes('${');
}

/** Rules that are written out end in what to do; for the others there is a cure of their kind. */
function splitMessage(issue: Issue): { message: string; cure: string } {
  const text = describeIssue(issue);
  const end = issue.code === 'custom' ? text.indexOf('; ') : -1;
  if (end !== -1) return { message: text.slice(0, end), cure: text.slice(end + 2) };
  return { message: text, cure: cureOf(issue) };
}

function cureOf(issue: Issue): string {
  const field = String(issue.path.at(-1) ?? 'it');
  if ('input' in issue && issue.input === undefined && issue.code !== 'custom') return `add '${field}'`;
  switch (issue.code) {
    case 'invalid_type':
      return `write ${TYPE_CURES[issue.expected] ?? 'a value of the expected type'}`;
    case 'invalid_value': {
      const known = issue.values.map(String);
      return suggest(String(issue.input), known, `write one of ${known.join(', ')}`);
    }
    case 'too_small':
    case 'too_big':
      return issue.origin === 'string' ? 'write a text of another length' : 'write a value within the limit';
    case 'invalid_format':
      return patternCure(String(issue.pattern));
    default:
      if (field === 'for_each_task') return 'start a job that has the inner for-each with run_job_task';
      if (issue.code === 'custom' && issue.message.startsWith('expected at most')) return 'write fewer';
      return `correct ${/^\d+$/.test(field) ? 'it' : `'${field}'`}`;
  }
}

function patternCure(pattern: string): string {
  if (pattern.includes('[\\w-]')) return 'use letters, digits, - and _ only';
  return pattern.includes('\\u0020./') ? 'use no dots, slashes and spaces' : 'write it in the expected form';
}

const TYPE_CURES: Readonly<Record<string, string>> = {
  string: 'it in quotes, or another text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false, without quotes',
  object: 'a mapping, a line `name: value` for each field',
  record: 'a mapping, a line `name: value` for each entry',
  array: 'a list, a line `- value` for each entry',
};

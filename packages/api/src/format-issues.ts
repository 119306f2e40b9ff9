/** Schema problems in words: which field, what was expected, what was there. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** More would hide the first ones. */
const issuesShownMax = 10;

/** One line for all issues of a parse: `tasks[0].notebook_task.notebook_path: expected a text, got a number`. */
export function formatIssues(error: { readonly issues: readonly Issue[] }): string {
  const shown = error.issues.slice(0, issuesShownMax).map(formatIssue);
  const hidden = error.issues.length - shown.length;
  if (hidden > 0) shown.push(`and ${hidden} more`);
  return shown.join('; ');
}

/** `tasks[0].task_key: is missing, expected a text`. */
export function formatIssue(issue: Issue): string {
  const path = formatPath(issue.path);
  return path === '' ? describeIssue(issue) : `${path}: ${describeIssue(issue)}`;
}

/** `tasks[0].depends_on[1].task_key`; a key that is no plain name is quoted: `tags["a b"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w-]+$/.test(String(key))) text += text === '' ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

/** What is wrong, without the path. */
export function describeIssue(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return describeMismatch(nameType(issue.expected), issue);
    case 'invalid_value':
      return describeMismatch(`one of ${issue.values.map(String).join(', ')}`, issue);
    case 'too_small':
      return describeLimit(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return describeLimit(issue.origin, 'at most', issue.maximum);
    case 'invalid_format':
      if (issue.format === 'starts_with' && 'prefix' in issue)
        return `expected a text that starts with "${issue.prefix}"`;
      return issue.pattern === undefined
        ? `expected a text in the format ${issue.format}`
        : `expected a text that matches ${issue.pattern}${quoteInput(issue.input, ', got ')}`;
    case 'unrecognized_keys':
      return `unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_union':
      return describeUnion(issue);
    default:
      return issue.message;
  }
}

function describeMismatch(expected: string, issue: Issue): string {
  const got = describeInput(issue);
  return got === 'nothing' ? `is missing, expected ${expected}` : `expected ${expected}, got ${got}`;
}

function describeUnion(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const first = issue.errors[0]?.[0];
  if (first === undefined) return describeMismatch('another value', issue);
  const alternatives = new Set(
    issue.errors.map((issues) => (issues[0] === undefined ? '' : formatIssue(issues[0]))),
  );
  return [...alternatives].join(', or ');
}

function describeLimit(origin: string, bound: string, limit: number | bigint): string {
  const unit: Record<string, string> = {
    string: ' characters',
    array: ' entries',
    set: ' entries',
    object: ' fields',
  };
  return `expected ${bound} ${limit}${unit[origin] ?? ''}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
};

function nameType(expected: string): string {
  return typeNames[expected] ?? expected;
}

/**
 * Issues carry their input only when the parse asked for it (`reportInput`); otherwise zod's own sentence tells
 * its type.
 */
function describeInput(issue: Issue): string {
  if (!('input' in issue)) {
    const received = /received (\w+)/.exec(issue.message)?.[1];
    return received === undefined || received === 'undefined' ? 'nothing' : (typeNames[received] ?? received);
  }
  const { input } = issue;
  if (input === undefined) return 'nothing';
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'boolean') return String(input);
  const quoted = quoteInput(input, '');
  if (quoted !== '') return `the ${typeof input === 'number' ? 'number' : 'text'} ${quoted}`;
  return typeNames[typeof input] ?? typeof input;
}

/**
 * Quotes an input that is a number or one short word: enough to find the mistake, too little to repeat a secret's
 * sentence or one of the wordings that make clients retry.
 */
function quoteInput(input: unknown, before: string): string {
  if (typeof input === 'number') return `${before}${input}`;
  if (typeof input === 'string' && /^[\w.+-]{1,24}$/.test(input)) return `${before}"${input}"`;
  return '';
}

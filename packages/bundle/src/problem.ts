// What is wrong with a bundle, and where: the only way this package reports a user's mistake.

import { type FrameStyle, formatCodeFrame } from './code-frame.ts';

/** The lines of the files that findings may point into, by the file's name. */
export type Sources = ReadonlyMap<string, readonly string[]>;

export interface Position {
  /** Relative to the bundle folder, or the name of what gave the value (`--var catalog`). */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** What to do about it, in one line. */
  readonly cure?: string;
  /** Characters that the finding is about; left out: the value that stands there. */
  readonly length?: number;
}

/** Without a `cure`, what stands behind the last semicolon of the message is one. */
export function errorAt(at: Position, message: string, cure?: string): Problem {
  return problemAt('error', at, message, cure);
}

export function warningAt(at: Position, message: string, cure?: string): Problem {
  return problemAt('warning', at, message, cure);
}

function problemAt(
  severity: Problem['severity'],
  { file, line, column }: Position,
  message: string,
  cure: string | undefined,
): Problem {
  const parts = cure === undefined ? splitCure(message) : { message, cure };
  return { severity, file, line, column, ...parts };
}

function splitCure(text: string): { message: string; cure?: string } {
  const end = text.lastIndexOf('; ');
  const cure = text.slice(end + 2);
  // A semicolon between quotes belongs to what a user wrote.
  const isQuoted = (cure.replaceAll(/\w'\w/g, '').match(/'/g) ?? []).length % 2 === 1;
  return end === -1 || isQuoted ? { message: text } : { message: text.slice(0, end), cure };
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}

/** On one line. */
export function formatProblem({ severity, file, line, column, message, cure }: Problem): string {
  const head = `${severity}: ${file}:${line}:${column}: ${message}`;
  // A terminal must not obey what a file says; the last words of a build may have lines.
  return (cure === undefined ? head : `${head}; ${cure}`).replaceAll(/[^\P{Cc}\n\t]/gu, '?');
}

/** With the lines around it where they are known, and the cure on a line of its own. */
export function showProblem(problem: Problem, sources: Sources, style: FrameStyle = {}): string {
  const { cure, ...finding } = problem;
  const lines = sources.get(problem.file);
  const frame = lines === undefined ? null : formatCodeFrame(lines, problem, style);
  if (frame === null) return markError(formatProblem(problem), problem, style);
  const head = markError(formatProblem(finding), problem, style);
  return [head, frame, ...(cure === undefined ? [] : [`  cure: ${cure}`])].join('\n');
}

function markError(text: string, { severity }: Problem, { mark }: FrameStyle): string {
  if (severity !== 'error' || mark === undefined) return text;
  return mark(`${severity}:`) + text.slice(severity.length + 1);
}

/** In the order a person reads the files; the same finding is given once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...seen.values()].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
}

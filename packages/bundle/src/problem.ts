// What is wrong with a bundle, and where: the only way this package reports a user's mistake.

export interface Position {
  /** Relative to the bundle folder, or the name of what gave the value (`--var catalog`). */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export function errorAt(at: Position, message: string): Problem {
  return { severity: 'error', message, file: at.file, line: at.line, column: at.column };
}

export function warningAt(at: Position, message: string): Problem {
  return { severity: 'warning', message, file: at.file, line: at.line, column: at.column };
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}

export function formatProblem(problem: Problem): string {
  return `${problem.severity}: ${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
}

/** In the order a person reads the files; the same finding is given once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...seen.values()].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
}

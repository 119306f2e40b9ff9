/** What went wrong with a repository, in words for whoever named it. Never holds more than git itself says. */
import { ApiError, type ErrorCode } from '@headrace/api';
import type { GitResult } from './run-git.ts';

export const gitProblemKinds = ['not_found', 'denied', 'refused', 'unreachable', 'stopping'] as const;

export class GitProblem extends Error {
  readonly kind: (typeof gitProblemKinds)[number];

  constructor(kind: GitProblem['kind'], message: string) {
    super(message);
    this.name = 'GitProblem';
    this.kind = kind;
  }
}

const apiCodes: Readonly<Record<GitProblem['kind'], ErrorCode>> = {
  not_found: 'RESOURCE_DOES_NOT_EXIST',
  denied: 'PERMISSION_DENIED',
  refused: 'INVALID_PARAMETER_VALUE',
  // Not a status that makes clients ask again for minutes: we have.
  unreachable: 'INVALID_STATE',
  stopping: 'TEMPORARILY_UNAVAILABLE',
};

export function toApiProblem(error: unknown): unknown {
  return error instanceof GitProblem ? new ApiError(apiCodes[error.kind], error.message) : error;
}

const deniedText =
  /Authentication failed|could not read (Username|Password)|terminal prompts disabled|error: 40[13]\b|Access denied|Permission denied \(|Host key verification failed/i;
const notFoundText =
  /repository .*not found|does not appear to be a git repository|error: 404\b|No such file or directory|Repository not found|project you were looking for/i;
const redirectText = /redirect|error: 30\d\b/i;
const transientText =
  /Could not resolve host|timed? ?out|Connection (refused|reset|closed)|Failed to connect|early EOF|error: (429|5\d\d)\b|RPC failed|unexpected disconnect|hung up unexpectedly|Operation too slow|cannot lock ref|Unable to create .*\.lock/i;

export function isTransient({ errors, endedBecause }: GitResult): boolean {
  return (
    endedBecause === null &&
    !deniedText.test(errors) &&
    !notFoundText.test(errors) &&
    transientText.test(errors)
  );
}

/** Of a git that did not end well. */
export function toGitProblem(url: string, result: GitResult): GitProblem {
  const { errors, endedBecause } = result;
  if (endedBecause !== null)
    return new GitProblem('unreachable', `${url} could not be read: ${endedBecause}`);
  if (deniedText.test(errors)) {
    const cure =
      'keep a token for its provider with the git-credentials API (headrace git-credentials create)';
    return new GitProblem(
      'denied',
      `${url} could not be read: the Git server asks for a login, or refuses the one it was given; ${cure}`,
    );
  }
  if (notFoundText.test(errors)) {
    return new GitProblem(
      'not_found',
      `${url} does not exist, or is not shown to this user: private repositories need a token (headrace git-credentials create)`,
    );
  }
  if (redirectText.test(errors)) {
    return new GitProblem(
      'refused',
      `${url} leads on to another address, which is not followed: write that one (often the same with .git at its end)`,
    );
  }
  return new GitProblem(
    transientText.test(errors) ? 'unreachable' : 'refused',
    `${url} could not be read: ${essentialLine(errors)}`,
  );
}

const lineCharsMax = 500;

/** The last of git's own complaints. */
function essentialLine(errors: string): string {
  const lines = errors
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const fatal = lines.filter((line) => /^(fatal|error):/.test(line));
  const line = fatal.at(-1) ?? lines.at(-1) ?? 'git said nothing';
  return line.replace(/^(fatal|error): /, '').slice(0, lineCharsMax);
}

// A step of a deployment that cannot go on because of something the user can change: a build that fails, a wheel that
// is missing, a state file of another version.

import { formatProblem, type Problem } from '../problem.ts';

export class BundleError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.name = 'BundleError';
    this.problems = problems;
  }
}

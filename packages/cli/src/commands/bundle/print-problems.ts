/** Findings of a bundle: each with the lines around it. */
import { type Problem, readSources, showProblem } from '@headrace/bundle';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { count } from '../../output/count.ts';
import { note } from '../../output/print.ts';
import { styleText } from '../../output/style-text.ts';

/** More would hide the first ones. */
const problemsShownMax = 200;

export async function printProblems(
  context: CliContext,
  folder: string,
  problems: readonly Problem[],
): Promise<void> {
  const shown = problems.slice(0, problemsShownMax);
  const sources = await readSources(folder, shown);
  const style = {
    dim: (text: string) => styleText(context, context.stderr, text, 'quiet'),
    mark: (text: string) => styleText(context, context.stderr, text, 'bad'),
  };
  for (const problem of shown) note(context, showProblem(problem, sources, style));
  if (problems.length > shown.length) note(context, `and ${problems.length - shown.length} more findings`);
}

/** @param isStrict warnings count as errors. */
export function tooManyProblems(
  problems: readonly Problem[],
  { isStrict = false }: { readonly isStrict?: boolean } = {},
): CommandError {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = isStrict ? problems.length - errors : 0;
  const counted = [
    ...(errors > 0 || warnings === 0 ? [count(errors, 'error')] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ];
  return new CommandError(`the bundle has ${counted.join(' and ')}`, { exitCode: exitCodes.usage });
}

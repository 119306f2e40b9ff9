/** Asks before something is destroyed. */
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/** Returns when the person agrees; `warning` undefined means there is nothing to ask. */
export async function approve(
  context: CliContext,
  warning: string | undefined,
  options: { readonly autoApprove?: boolean },
): Promise<void> {
  if (warning === undefined || options.autoApprove) return;
  if (context.confirm === undefined) {
    throw new CommandError(`${warning} Nobody is there to agree`, {
      exitCode: exitCodes.usage,
      cure: 'repeat the command with --auto-approve',
    });
  }
  if (await context.confirm(`${warning} Go on?`)) return;
  throw new CommandError('nothing was changed', { exitCode: exitCodes.usage });
}

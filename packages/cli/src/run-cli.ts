/** One call of the command: parse, act, and turn whatever was thrown into words and an exit code. */
import { CommanderError } from 'commander';
import type { CliContext } from './cli-context.ts';
import { CommandError, exitCodes, toCommandError } from './command-error.ts';
import { styleText } from './output/style-text.ts';
import { createProgram } from './program.ts';

export async function runCli(context: CliContext, args: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(context, args);
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    // Commander has printed its own words already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    // Whatever was under way was broken off, because somebody asked for it: no error of anyone's.
    if (context.interrupted.aborted && !(error instanceof CommandError)) return exitCodes.interrupted;
    const known = toCommandError(error);
    const label = styleText(context, context.stderr, 'error:', 'bad');
    if (known === undefined) {
      // A bug of ours: its origin helps, and nobody can cure it.
      context.stderr.write(
        `${label} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      return exitCodes.failed;
    }
    context.stderr.write(`${label} ${known.message}\n`);
    if (known.cure !== undefined) context.stderr.write(`  ${known.cure}\n`);
    return known.exitCode;
  }
}

/** The job that a command is about: given in its place, or by `--job-id` as other clients' scripts write it. */
import type { Command } from 'commander';
import { CommandError, exitCodes } from '../../command-error.ts';
import { parseId } from '../parse-options.ts';

export interface JobOptions {
  readonly jobId?: number;
}

export function addJobArgument(command: Command): Command {
  return command
    .argument('[job]', 'id or exact name')
    .option('--job-id <id>', 'the job by its id, in place of the argument', parseId);
}

export function chooseJob(text: string | undefined, { jobId }: JobOptions): string {
  if (text !== undefined && jobId === undefined) return text;
  if (text === undefined && jobId !== undefined) return String(jobId);
  throw new CommandError(text === undefined ? 'which job?' : 'the job is named twice', {
    exitCode: exitCodes.usage,
    cure: 'give its id or its exact name, or --job-id',
  });
}

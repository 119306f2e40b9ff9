/** `headrace runs cancel`, which other clients' scripts call `jobs cancel-run`. */
import type { Client } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { findIteration, findTask } from '../../runs/find-task.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { parseId, parseIndex } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly runId?: number;
  readonly task?: string;
  readonly iteration?: number;
}

/** @param spelling the whole of how it is called here */
export function createRunsCancelCommand(context: CliContext, spelling = 'runs cancel'): Command {
  const command = new Command(spelling.split(' ').at(-1))
    .description('ask a run, or the run of one task, to stop')
    .argument('[run]', 'id of the run, or of the run of one task', parseId)
    .option('--run-id <id>', 'the run, in place of the argument', parseId)
    .option('--task <key>', 'stop only this task; tasks that handle failure still run')
    .option('--iteration <number>', 'of a for-each task: stop only the iteration of this input', parseIndex)
    .addHelpText('after', example(`${spelling} 2077`, `${spelling} 2077 --task silver`))
    .action(async (given: number | undefined, options: Options) => {
      const runId = chooseRun(given, options);
      const client = await connect(context, options);
      const target = await findTarget(client, runId, options);
      const answer = await client.runsCancel({ run_id: target.id });
      printDocument(context, options, answer, () => `${target.words} was asked to stop`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function chooseRun(given: number | undefined, { runId, task, iteration }: Options): number {
  if (iteration !== undefined && task === undefined) {
    throw new CommandError('of which task is the iteration?', {
      exitCode: exitCodes.usage,
      cure: 'name the for-each task with --task',
    });
  }
  const chosen = given ?? runId;
  if (chosen !== undefined && (given === undefined || runId === undefined)) return chosen;
  throw new CommandError(chosen === undefined ? 'which run?' : 'the run is named twice', {
    exitCode: exitCodes.usage,
    cure: 'give its id, or --run-id',
  });
}

async function findTarget(
  client: Client,
  runId: number,
  { task: key, iteration }: Options,
): Promise<{ readonly id: number; readonly words: string }> {
  if (key === undefined) return { id: runId, words: `run ${runId}` };
  const task = findTask(await getWholeRun(client, runId), key);
  if (iteration === undefined) return { id: task.run_id, words: `task ${key} of run ${runId}` };
  const { run_id } = await findIteration(client, task, iteration);
  return { id: run_id, words: `iteration ${iteration} of task ${key} of run ${runId}` };
}

/** `headrace runs iterations` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { describeWork } from '../../runs/describe-work.ts';
import { findTask, readIterations } from '../../runs/find-task.ts';
import { formatIterations } from '../../runs/format-tasks.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { hasFailed } from '../../runs/run-words.ts';
import { iterationOf, latestIterations } from '../../runs/task-runs.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly task: string;
  readonly failed?: boolean;
}

export function createRunsIterationsCommand(context: CliContext): Command {
  const command = new Command('iterations')
    .description('list the iterations of a for-each task, each with its input')
    .argument('<run>', 'id of the run', parseId)
    .requiredOption('--task <key>', 'the for-each task')
    .option('--failed', 'only those that failed, timed out or were cancelled')
    .addHelpText('after', example('runs iterations 2077 --task each_region --failed'))
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      const task = findTask(await getWholeRun(client, runId), options.task);
      const all = await readIterations(client, task);
      const bad = new Set(
        latestIterations(all)
          .filter(({ state }) => hasFailed(state))
          .map(iterationOf),
      );
      const shown = options.failed ? all.filter((each) => bad.has(iterationOf(each))) : all;
      printDocument(context, options, { iterations: shown }, () => {
        const table = formatIterations(task.for_each_task?.inputs, shown, context.clock.nowMs());
        return [table, describeWork(task)].filter((text) => text !== '').join('\n\n');
      });
    });
  return addOutputOption(addConnectionOptions(command));
}

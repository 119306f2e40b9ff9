/** `headrace runs repair` */
import type { RepairPreviewTask, RunDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument, printTable } from '../../output/print.ts';
import { followRun } from '../../runs/follow-run.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { collectKeys, parseId } from '../parse-options.ts';
import { addParameterOptions, type ParameterOptions, toParameterFields } from '../run-options.ts';

interface Options extends ConnectionOptions, OutputOptions, ParameterOptions {
  readonly failed?: boolean;
  readonly task?: string[];
  readonly dependents?: boolean;
  readonly original?: boolean;
  readonly whileActive?: boolean;
  readonly latestRepairId?: number;
  readonly preview?: boolean;
  readonly follow?: boolean;
}

export function createRunsRepairCommand(context: CliContext): Command {
  const command = new Command('repair')
    .description('run again what failed in a run, or the tasks named; the results of the others stand')
    .argument('<run>', 'id of the run', parseId)
    .option('--failed', 'all tasks that failed, were cancelled, or were skipped for such a task')
    .option('--task <keys>', 'these tasks, with commas between; may be given several times', collectKeys)
    .option('--dependents', 'also the tasks that depend on the chosen ones')
    .option('--original', 'with the tasks as the run began with them, not as the job has them now')
    .option('--while-active', 'although other tasks of the run are still at work')
    .option(
      '--latest-repair-id <id>',
      'refuse if there has been another repair since this one (default: the last one there is)',
      parseId,
    )
    .option('--preview', 'only say what would run again, be reused and be skipped')
    .option('--follow', 'wait for the run; exit code 1 if it does not succeed')
    .addHelpText(
      'after',
      example('runs repair 2077 --failed --preview', 'runs repair 2077 --task silver --dependents --follow'),
    )
    .action((runId: number, options: Options) => repair(context, runId, options));
  return addOutputOption(addConnectionOptions(addParameterOptions(command)));
}

async function repair(context: CliContext, runId: number, options: Options): Promise<void> {
  if (!options.failed && options.task === undefined) {
    throw new CommandError('which tasks are to run again?', {
      exitCode: exitCodes.usage,
      cure: 'say --failed, or name them with --task',
    });
  }
  const client = await connect(context, options);
  const before = await getWholeRun(client, runId, { hasHistory: true });
  const request = toRequest(before, options);
  if (options.preview) {
    const preview = await client.runsRepairPreview(request);
    printTable(context, options, preview, () => ({
      columns: ['task', 'in a repair', 'iterations'],
      rows: preview.tasks.map(toRow),
      empty: 'no tasks',
    }));
    return;
  }
  const answer = await client.runsRepair(request);
  const words = `run ${runId} is being repaired: repair ${answer.repair_id}`;
  if (!options.follow) return printDocument(context, options, answer, () => words);
  note(context, words);
  await followRun(context, client, runId, options, { known: before.tasks ?? [] });
}

function toRequest(run: RunDocument, options: Options) {
  return {
    run_id: run.run_id,
    rerun_tasks: options.task,
    rerun_all_failed_tasks: options.failed ?? false,
    rerun_dependent_tasks: options.dependents ?? false,
    latest_repair_id: options.latestRepairId ?? findLatestRepair(run),
    ...toParameterFields(options),
    headrace: {
      definition: options.original ? ('original' as const) : ('current' as const),
      while_active: options.whileActive ?? false,
    },
  };
}

function findLatestRepair(run: RunDocument): number | undefined {
  return run.repair_history?.filter(({ type }) => type === 'REPAIR').at(-1)?.id;
}

const actionWords = { rerun: 'runs again', reuse: 'result stands', skip: 'skipped' } as const;

function toRow({ task_key, action, iterations }: RepairPreviewTask): readonly string[] {
  const parts = iterations ? `${iterations.reuse} of ${iterations.total} stand` : '';
  return [task_key, actionWords[action], parts];
}

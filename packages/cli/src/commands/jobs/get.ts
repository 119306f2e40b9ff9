/** `headrace jobs get` */
import { findTaskKinds, type JobDocument, type Task, type TaskDependency } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatFields, formatTable } from '../../output/format-table.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { findJobId, getWholeJob } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { addJobArgument, chooseJob, type JobOptions } from './job-argument.ts';

type Options = ConnectionOptions & OutputOptions & JobOptions;

export function createJobsGetCommand(context: CliContext): Command {
  const command = addJobArgument(new Command('get').description('show one job and its tasks'))
    .addHelpText('after', example('jobs get flights_daily', 'jobs get 1042 -o json'))
    .action(async (text: string | undefined, options: Options) => {
      const client = await connect(context, options);
      const job = await getWholeJob(client, await findJobId(client, chooseJob(text, options)));
      printDocument(context, options, job, () => formatJob(job));
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatJob(job: JobDocument): string {
  const { settings } = job;
  const fields = formatFields([
    ['job', String(job.job_id)],
    ['name', settings.name ?? '-'],
    ['owner', job.creator_user_name ?? '-'],
    ['created', formatInstant(job.created_time)],
    [
      'parameters',
      (settings.parameters ?? []).map(({ name, default: value }) => `${name}=${value}`).join(' ') || '-',
    ],
  ]);
  const tasks = formatTable({
    columns: ['task', 'kind', 'after', 'run if'],
    rows: (settings.tasks ?? []).map(toRow),
    empty: 'no tasks',
  });
  return `${fields}\n\n${tasks}`;
}

function toRow(task: Task): readonly string[] {
  return [
    task.task_key,
    findTaskKinds(task).join(', ').replaceAll('_task', ''),
    (task.depends_on ?? []).map(toParent).join(', ') || '-',
    task.run_if ?? 'ALL_SUCCESS',
  ];
}

/** `any_orders=true`: that branch of a condition. */
function toParent({ task_key, outcome }: TaskDependency): string {
  return outcome === undefined || outcome === 'SUCCESS' ? task_key : `${task_key}=${outcome}`;
}

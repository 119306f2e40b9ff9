/** Asks before tasks that run on a cluster are ended with it. */
import type { Client } from '@headrace/api';
import type { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { approve } from '../approve.ts';

export interface ApproveOptions {
  readonly autoApprove?: boolean;
  readonly yes?: boolean;
}

export function addApproveOptions(command: Command): Command {
  return command.option('--auto-approve', 'do not ask').option('-y, --yes', 'the same');
}

interface Question {
  readonly clusterId: string;
  /** What is asked even where nothing runs. */
  readonly warning?: string;
}

export async function approveInterruption(
  context: CliContext,
  client: Client,
  { clusterId, warning, autoApprove, yes }: Question & ApproveOptions,
): Promise<void> {
  const isApproved = autoApprove === true || yes === true;
  if (isApproved) return;
  const { headrace } = await client.clustersGet({ cluster_id: clusterId });
  const tasks = describeTasks(headrace?.running_tasks ?? 0);
  const ends = tasks === null ? undefined : `${tasks} on cluster ${clusterId} and will be ended.`;
  const said = [warning, ends].filter((text) => text !== undefined).join(' ');
  await approve(context, said === '' ? undefined : said, { autoApprove: false });
}

function describeTasks(count: number): string | null {
  if (count === 0) return null;
  return count === 1 ? '1 task runs' : `${count} tasks run`;
}

/** What a change said of the tasks that it ended. */
export function describeInterrupted({
  headrace,
}: {
  readonly headrace?: { readonly interrupted_tasks: number } | undefined;
}): string {
  const count = headrace?.interrupted_tasks ?? 0;
  if (count === 0) return '';
  return count === 1 ? '; 1 task on it was ended' : `; ${count} tasks on it were ended`;
}

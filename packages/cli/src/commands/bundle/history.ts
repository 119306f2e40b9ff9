/** `headrace bundle history` */
import type { BundleVersion } from '@headrace/api';
import { findDeployment } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, note, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';

interface Options extends BundleOptions, OutputOptions {
  readonly runId?: number;
}

const commitCharsShown = 8;
const messageCharsShown = 60;

export function createBundleHistoryCommand(context: CliContext): Command {
  const command = new Command('history')
    .description('list the versions that were deployed, the newest first')
    .option('--run-id <id>', 'only the version that this run ran', parseId)
    .addHelpText('after', example('bundle history -t prod', 'bundle history --run-id 1042'))
    .action(async (options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const deployment = await findDeployment(bundle, client);
      if (deployment === null) {
        throw new CommandError(`nothing of bundle ${bundle.name} is deployed to target ${bundle.target}`, {
          exitCode: exitCodes.notFound,
        });
      }
      const { deployment_id, lock } = deployment;
      const { versions } = await client.bundlesListVersions({ deployment_id });
      const { runId } = options;
      const ran = runId === undefined ? undefined : await client.runsGet({ run_id: runId });
      const shown =
        ran === undefined
          ? versions
          : versions.filter(({ version }) => version === versionOf(ran, deployment_id));
      printTable(context, options, { versions: shown }, () => ({
        columns: ['version', 'when', 'who', 'git commit', 'changes', 'current', 'message'],
        rows: shown.map(toRow),
        empty: runId === undefined ? 'no version is deployed yet' : `run ${runId} ran none of the versions`,
      }));
      if (lock !== undefined && options.output === 'table') {
        const { user_name: userName, machine, command: doing } = lock.holder;
        note(context, `locked by ${userName} on ${machine} (${doing}) since ${formatInstant(lock.since)}`);
      }
    });
  return addOutputOption(addBundleOptions(command));
}

function versionOf(
  run: {
    readonly headrace?:
      | { readonly deployment?: { deployment_id: number; version: number } | undefined }
      | undefined;
  },
  deploymentId: number,
): number | undefined {
  const { deployment } = run.headrace ?? {};
  return deployment?.deployment_id === deploymentId ? deployment.version : undefined;
}

function toRow(version: BundleVersion): string[] {
  const { changes, git, rolled_back_to: back, message = '' } = version;
  const files = changes.files_put + changes.files_removed;
  const counted = [
    [changes.created, 'created'],
    [changes.updated, 'updated'],
    [changes.deleted, 'deleted'],
    [files, files === 1 ? 'file' : 'files'],
  ] as const;
  const said = counted.flatMap(([number, word]) => (number === 0 ? [] : [`${number} ${word}`]));
  return [
    String(version.version),
    formatInstant(version.created_at),
    version.created_by,
    git?.commit?.slice(0, commitCharsShown) ?? '-',
    said.join(', ') || '-',
    version.is_current ? 'yes' : '',
    shorten(message || (back === undefined ? '' : `back to version ${back}`)),
  ];
}

function shorten(message: string): string {
  const line = message.split('\n')[0] ?? '';
  return line.length > messageCharsShown ? `${line.slice(0, messageCharsShown - 1)}…` : line;
}

/** `headrace bundle summary` */
import { type BundleSummary, findDeployment, readDeployment, summarizeBundle } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { count } from '../../output/count.ts';
import { formatFields, formatTable } from '../../output/format-table.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, type OpenBundle, openBundle } from './open-bundle.ts';

type Options = BundleOptions & OutputOptions;

export function createBundleSummaryCommand(context: CliContext): Command {
  const command = new Command('summary')
    .description('show what of the bundle is deployed, and where')
    .addHelpText('after', example('bundle summary -t prod'))
    .action(async (options: Options) => {
      const summary = await readSummary(await openBundle(context, options));
      printDocument(context, options, summary, () => formatSummary(summary));
    });
  return addOutputOption(addBundleOptions(command));
}

export async function readSummary({ bundle, client }: OpenBundle): Promise<BundleSummary> {
  const deployed = await readDeployment(bundle, client);
  return summarizeBundle(bundle, deployed, await findDeployment(bundle, client));
}

function formatSummary(summary: BundleSummary): string {
  const { lock, version, unsupported } = summary;
  const fields = formatFields([
    ['bundle', summary.bundle],
    ['target', summary.mode === null ? summary.target : `${summary.target} (${summary.mode})`],
    ['server', summary.host],
    ['user', summary.user_name],
    ['folder', summary.root_path],
    ['version', version === null ? 'nothing is deployed' : describeVersion(version)],
    ...(summary.synced_files === 0
      ? []
      : [['sent since', `${count(summary.synced_files, 'file')} by bundle sync`] as const]),
    ...(lock === null
      ? []
      : [
          [
            'locked by',
            `${lock.holder.user_name} on ${lock.holder.machine} (${lock.holder.command}) since ${formatInstant(lock.since)}`,
          ] as const,
        ]),
    ...(unsupported.length === 0 ? [] : [['not supported yet', unsupported.join(', ')] as const]),
  ]);
  const resources = formatTable({
    columns: ['resource', 'name', 'id', 'state', 'page'],
    rows: summary.resources.map(({ resource, name, id, state, url }) => [
      resource,
      name,
      id ?? '-',
      state,
      url ?? '-',
    ]),
    empty: 'no resources',
  });
  return `${fields}\n\n${resources}`;
}

function describeVersion(version: NonNullable<BundleSummary['version']>): string {
  const { version: number, created_at: at, created_by: who, git_commit: commit } = version;
  return `${number}, ${formatInstant(at)} by ${who}${commit === null ? '' : `, commit ${commit.slice(0, 8)}`}`;
}

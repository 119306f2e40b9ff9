/** `headrace bundle summary` */
import { type BundleSummary, readDeployment, summarizeBundle } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { formatFields, formatTable } from '../../output/format-table.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';

type Options = BundleOptions & OutputOptions;

export function createBundleSummaryCommand(context: CliContext): Command {
  const command = new Command('summary')
    .description('show what of the bundle is deployed, and where')
    .addHelpText('after', example('bundle summary -t prod'))
    .action(async (options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const summary = summarizeBundle(bundle, await readDeployment(bundle, client));
      printDocument(context, options, summary, () => formatSummary(summary));
    });
  return addOutputOption(addBundleOptions(command));
}

function formatSummary(summary: BundleSummary): string {
  const fields = formatFields([
    ['bundle', summary.name],
    ['target', summary.target],
    ['server', summary.host],
    ['user', summary.userName],
    ['folder', summary.rootPath],
    ...(summary.unsupported.length === 0
      ? []
      : [['not supported yet', summary.unsupported.join(', ')] as const]),
  ]);
  const jobs = formatTable({
    columns: ['job', 'name', 'id', 'page'],
    rows: summary.jobs.map(({ key, name, id, url }) => [
      key,
      name,
      id === null ? 'not deployed' : String(id),
      url ?? '-',
    ]),
    empty: 'no jobs',
  });
  return `${fields}\n\n${jobs}`;
}

/** `headrace bundle validate` */
import { type ResolvedBundle, toPlain } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { exitCodes, toCommandError } from '../../command-error.ts';
import { formatFields } from '../../output/format-table.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle, openBundleOffline } from './open-bundle.ts';

type Options = BundleOptions & OutputOptions;

export function createBundleValidateCommand(context: CliContext): Command {
  const command = new Command('validate')
    .description('check a bundle; problems are printed as file:line:column')
    .addHelpText('after', example('bundle validate -t dev', 'bundle validate -o json'))
    .action(async (options: Options) => {
      const bundle = await open(context, options);
      printDocument(context, options, toPlain(bundle.root), () => describe(bundle));
    });
  return addOutputOption(addBundleOptions(command));
}

async function open(context: CliContext, options: Options): Promise<ResolvedBundle> {
  try {
    return (await openBundle(context, options)).bundle;
  } catch (error) {
    if (toCommandError(error)?.exitCode !== exitCodes.unreachable) throw error;
    note(context, 'no server to ask who you are: checked for the user "you"');
    return openBundleOffline(context, options);
  }
}

function describe(bundle: ResolvedBundle): string {
  const fields = formatFields([
    ['bundle', bundle.name],
    ['target', bundle.target],
    ['mode', bundle.mode ?? '-'],
    ['server', bundle.workspace.host],
    ['user', bundle.workspace.userName],
    ['folder', bundle.workspace.rootPath],
    ['jobs', bundle.jobs.map(({ key }) => key).join(', ') || '-'],
    ['files', String(bundle.files.length)],
  ]);
  return `${fields}\n\nthe bundle is valid`;
}

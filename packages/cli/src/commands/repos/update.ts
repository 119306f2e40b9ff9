/** `headrace repos update` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { collectTexts } from '../parse-options.ts';
import { findRepo } from './find-repo.ts';
import { formatRepo } from './repo-fields.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly branch?: string;
  readonly tag?: string;
  readonly sparse?: readonly string[];
  readonly discardLocalChanges?: boolean;
  readonly autoApprove?: boolean;
}

export function createReposUpdateCommand(context: CliContext): Command {
  const command = new Command('update')
    .description('bring a Git folder to the latest commit of a branch, or to a tag')
    .argument('<repo>', 'id or path')
    .option('--branch <name>', 'branch (default: the same as before)')
    .option('--tag <name>', 'tag instead of a branch')
    .option(
      '--sparse <folder>',
      'only this folder of the repository; may be given several times',
      collectTexts,
    )
    .option('--discard-local-changes', 'lose what was changed in the workspace; asks first')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('repos update /Repos/ann/pipelines --branch main'))
    .action(async (text: string, options: Options) => {
      const { branch, tag, sparse, discardLocalChanges = false } = options;
      const client = await connect(context, options);
      const { id, path } = await findRepo(client, text);
      const warning = `This loses what was changed in ${path} since it was checked out.`;
      await approve(context, discardLocalChanges ? warning : undefined, options);
      const { warnings = [] } = await client.reposUpdate({
        ...{ repo_id: id, branch, tag, dangerously_force_discard_all: discardLocalChanges },
        ...(sparse === undefined ? {} : { sparse_checkout: { patterns: [...sparse] } }),
      });
      for (const warning of warnings) note(context, warning);
      const repo = await client.reposGet({ repo_id: id });
      printDocument(context, options, repo, () => formatRepo(repo));
    });
  return addOutputOption(addConnectionOptions(command));
}

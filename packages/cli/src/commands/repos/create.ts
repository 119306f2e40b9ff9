/** `headrace repos create` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { collectTexts } from '../parse-options.ts';
import { formatRepo } from './repo-fields.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly path?: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly sparse?: readonly string[];
}

export function createReposCreateCommand(context: CliContext): Command {
  const command = new Command('create')
    .description('make a Git folder and check the repository out into it')
    .argument('<url>', 'of the repository: https://…')
    .argument('<provider>', 'gitHub, gitLab, bitbucketCloud, azureDevOpsServices, …')
    .option('--path <path>', 'in the workspace (default: /Repos/<user>/<name>)')
    .option('--branch <name>', "branch (default: the repository's own)")
    .option('--tag <name>', 'tag instead of a branch')
    .option(
      '--sparse <folder>',
      'only this folder of the repository; may be given several times',
      collectTexts,
    )
    .addHelpText('after', example('repos create https://github.com/acme/pipelines gitHub --branch main'))
    .action(async (url: string, provider: string, options: Options) => {
      const { path, branch, tag, sparse } = options;
      const client = await connect(context, options);
      const repo = await client.reposCreate({
        ...{ url, provider, path, branch, tag },
        ...(sparse === undefined ? {} : { sparse_checkout: { patterns: [...sparse] } }),
      });
      for (const warning of repo.warnings ?? []) note(context, warning);
      printDocument(context, options, repo, () => formatRepo(repo));
    });
  return addOutputOption(addConnectionOptions(command));
}

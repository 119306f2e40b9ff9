/** `headrace repos get` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { findRepo } from './find-repo.ts';
import { formatRepo } from './repo-fields.ts';

type Options = ConnectionOptions & OutputOptions;

export function createReposGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show a Git folder')
    .argument('<repo>', 'id or path')
    .addHelpText('after', example('repos get /Repos/ann/pipelines'))
    .action(async (text: string, options: Options) => {
      const client = await connect(context, options);
      const repo = await findRepo(client, text);
      printDocument(context, options, repo, () => formatRepo(repo));
    });
  return addOutputOption(addConnectionOptions(command));
}

/** `headrace repos delete` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { findRepo } from './find-repo.ts';

interface Options extends ConnectionOptions {
  readonly autoApprove?: boolean;
}

export function createReposDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('delete a Git folder with all that is in it; the repository stays as it is')
    .argument('<repo>', 'id or path')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('repos delete /Repos/ann/pipelines'))
    .action(async (text: string, options: Options) => {
      const client = await connect(context, options);
      const { id, path } = await findRepo(client, text);
      await approve(context, `This deletes ${path} with all that is in it, local changes too.`, options);
      await client.reposDelete({ repo_id: id });
      print(context, `Git folder ${path} is deleted`);
    });
  return addConnectionOptions(command);
}

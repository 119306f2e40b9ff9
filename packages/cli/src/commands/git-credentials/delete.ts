/** `headrace git-credentials delete` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { print } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

export function createGitCredentialsDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('forget a Git credential; at the provider the token stays good until it is revoked there')
    .argument('<id>', 'as `git-credentials list` shows it', parseId)
    .addHelpText('after', example('git-credentials delete 1042'))
    .action(async (credentialId: number, options: ConnectionOptions) => {
      const client = await connect(context, options);
      await client.gitCredentialsDelete({ credential_id: credentialId });
      print(context, `Git credential ${credentialId} is forgotten`);
    });
  return addConnectionOptions(command);
}

/** `headrace git-credentials list` and `get` */
import type { GitCredential } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatTable } from '../../output/format-table.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

type Options = ConnectionOptions & OutputOptions;

export function createGitCredentialsListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list your Git credentials, without their tokens')
    .addHelpText('after', example('git-credentials list'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.gitCredentialsList({});
      printDocument(context, options, listed, () => format(listed.credentials ?? []));
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createGitCredentialsGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one Git credential, without its token')
    .argument('<id>', 'as `git-credentials list` shows it', parseId)
    .addHelpText('after', example('git-credentials get 1042'))
    .action(async (credentialId: number, options: Options) => {
      const client = await connect(context, options);
      const found = await client.gitCredentialsGet({ credential_id: credentialId });
      printDocument(context, options, found, () => format([found]));
    });
  return addOutputOption(addConnectionOptions(command));
}

function format(credentials: readonly GitCredential[]): string {
  return formatTable({
    columns: ['id', 'provider', 'user', 'name', 'default'],
    rows: credentials.map((credential) => [
      String(credential.credential_id),
      credential.git_provider,
      credential.git_username ?? '-',
      credential.name ?? '-',
      credential.is_default_for_provider ? 'yes' : 'no',
    ]),
    empty: 'no Git credentials; `headrace git-credentials create` keeps one',
  });
}

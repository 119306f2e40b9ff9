/** `headrace git-credentials create` and `update` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';
import { readTokenFile, tokenFileOption } from './token-file.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly tokenFile?: string;
  readonly username?: string;
  readonly email?: string;
  readonly name?: string;
  readonly default?: boolean;
  readonly provider?: string;
}

export function createGitCredentialsCreateCommand(context: CliContext): Command {
  const command = addFields(new Command('create'))
    .description('keep a token for a Git provider, sealed; nothing shows it again')
    .argument('<provider>', 'gitHub, gitLab, bitbucketCloud, azureDevOpsServices, …')
    .addHelpText('after', example('git-credentials create gitHub --username ann --token-file ./token'))
    .action(async (provider: string, options: Options) => {
      const fields = await readFields(context, options);
      const client = await connect(context, options);
      const made = await client.gitCredentialsCreate({ git_provider: provider, ...fields });
      printDocument(context, options, made, () => `Git credential ${made.credential_id} is kept`);
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createGitCredentialsUpdateCommand(context: CliContext): Command {
  const command = addFields(new Command('update'))
    .description('change what is given; the token only where one is')
    .argument('<id>', 'as `git-credentials list` shows it', parseId)
    .option('--provider <provider>', 'another provider')
    .addHelpText('after', example('git-credentials update 1042 --token-file ./token'))
    .action(async (credentialId: number, options: Options) => {
      const fields = await readFields(context, options);
      const { provider } = options;
      const client = await connect(context, options);
      await client.gitCredentialsUpdate({
        credential_id: credentialId,
        ...(provider === undefined ? {} : { git_provider: provider }),
        ...fields,
      });
      print(context, `Git credential ${credentialId} is changed`);
    });
  return addConnectionOptions(command);
}

function addFields(command: Command): Command {
  return command
    .addOption(tokenFileOption())
    .option('--username <name>', 'user name at the provider')
    .option('--email <address>', 'of that user')
    .option('--name <name>', 'what to call it')
    .option('--default', 'the one that is used for its provider where none is named');
}

async function readFields(context: CliContext, options: Options) {
  const { tokenFile, username, email, name } = options;
  return {
    ...(tokenFile === undefined ? {} : { personal_access_token: await readTokenFile(context, tokenFile) }),
    ...(username === undefined ? {} : { git_username: username }),
    ...(email === undefined ? {} : { git_email: email }),
    ...(name === undefined ? {} : { name }),
    ...(options.default ? { is_default_for_provider: true } : {}),
  };
}

/** `headrace secrets list-secrets` and `delete-secret` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, print, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

export function createSecretsListSecretsCommand(context: CliContext): Command {
  const command = new Command('list-secrets')
    .description('list the keys of a scope, without their values')
    .argument('<scope>')
    .addHelpText('after', example('secrets list-secrets prod'))
    .action(async (scope: string, options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const listed = await client.secretsList({ scope });
      printTable(context, options, listed, () => ({
        columns: ['key', 'changed'],
        rows: (listed.secrets ?? []).map(({ key, last_updated_timestamp: changedAtMs }) => [
          key,
          formatInstant(changedAtMs),
        ]),
        empty: `no secrets: \`headrace secrets put-secret ${scope} KEY\` stores one`,
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createSecretsDeleteSecretCommand(context: CliContext): Command {
  const command = new Command('delete-secret')
    .description('delete a key and its value')
    .argument('<scope>')
    .argument('<key>')
    .addHelpText('after', example('secrets delete-secret prod password'))
    .action(async (scope: string, key: string, options: ConnectionOptions) => {
      const client = await connect(context, options);
      await client.secretsDelete({ scope, key });
      print(context, `secret ${scope}/${key} is deleted`);
    });
  return addConnectionOptions(command);
}

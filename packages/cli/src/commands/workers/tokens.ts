/** `headrace workers tokens` and `headrace workers revoke-token` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, print, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

type Options = ConnectionOptions & OutputOptions;

export function createWorkersTokensCommand(context: CliContext): Command {
  const command = new Command('tokens')
    .description('list the tokens of workers, without their values')
    .addHelpText('after', example('workers tokens'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.workerTokensList({});
      printTable(context, options, listed, () => ({
        columns: ['id', 'made', 'expires', 'comment'],
        rows: (listed.token_infos ?? []).map(({ token_id, creation_time, expiry_time, comment = '' }) => [
          token_id,
          formatInstant(creation_time),
          expiry_time < 0 ? 'never' : formatInstant(expiry_time),
          comment,
        ]),
        empty: 'no tokens: `headrace workers create-token` makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createWorkersRevokeTokenCommand(context: CliContext): Command {
  const command = new Command('revoke-token')
    .description('revoke a token: workers that use it end what they run, and themselves, within a lease')
    .argument('<id>', 'as `workers tokens` shows it')
    .addHelpText('after', example('workers revoke-token 0f3c…'))
    .action(async (id: string, options: ConnectionOptions) => {
      const client = await connect(context, options);
      await client.workerTokensDelete({ token_id: id });
      print(context, `token ${id} is revoked`);
    });
  return addConnectionOptions(command);
}

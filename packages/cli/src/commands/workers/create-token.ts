/** `headrace workers create-token` */
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly comment?: string;
  readonly days?: number;
}

const dayS = 24 * 3_600;

export function createWorkersCreateTokenCommand(context: CliContext): Command {
  const command = new Command('create-token')
    .description('make a token that signs workers on and opens nothing else; it is shown only now')
    .option('--comment <text>', 'what it is for')
    .option('--days <n>', 'how long it is good (default: until it is revoked)', parseDays)
    .addHelpText('after', example('workers create-token --comment "rack 4" > token'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { comment, days } = options;
      const made = await client.workerTokensCreate({
        ...(comment === undefined ? {} : { comment }),
        ...(days === undefined ? {} : { lifetime_seconds: days * dayS }),
      });
      printDocument(context, options, made, () => made.token_value);
      note(context, `token ${made.token_info.token_id}: keep its value, it cannot be shown again`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > 3_650)
    throw new InvalidArgumentError('expected 1 to 3650 days.');
  return days;
}

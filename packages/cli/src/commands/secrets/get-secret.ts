/** `headrace secrets get-secret` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';

export function createSecretsGetSecretCommand(context: CliContext): Command {
  const command = new Command('get-secret')
    .description('print a value; -o json gives it in base64')
    .argument('<scope>')
    .argument('<key>')
    .addHelpText('after', example('secrets get-secret prod password'))
    .action(async (scope: string, key: string, options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const secret = await client.secretsGet({ scope, key });
      printDocument(context, options, secret, () => toText(secret.value, `${scope}/${key}`));
    });
  return addOutputOption(addConnectionOptions(command));
}

function toText(encoded: string, name: string): string {
  const value = Buffer.from(encoded, 'base64');
  const text = value.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(value)) return text;
  const cure = 'take -o json, which gives its bytes in base64';
  throw new CommandError(`secret ${name} is no text`, { exitCode: exitCodes.failed, cure });
}

/** `headrace sign-in` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';

type Options = ConnectionOptions & OutputOptions;

export function createSignInCommand(context: CliContext): Command {
  const command = new Command('sign-in')
    .description('make a link that signs a browser in, once; `up` prints one when the server starts')
    .addHelpText('after', example('sign-in', 'sign-in --state-dir ./state'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const link = await client.signInLinksCreate({});
      printDocument(context, options, link, () => link.url);
    });
  return addOutputOption(addConnectionOptions(command));
}

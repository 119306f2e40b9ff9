/** `headrace secrets put-secret` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { note, print } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options extends ConnectionOptions {
  readonly stringValue?: string;
}

export function createSecretsPutSecretCommand(context: CliContext): Command {
  const command = new Command('put-secret')
    .description('store a value under a key; it is read from standard input')
    .argument('<scope>')
    .argument('<key>', 'letters, digits and _.-')
    .option('--string-value <text>', 'the value; others on this machine can see it in the list of processes')
    .addHelpText('after', example('secrets put-secret prod password < password.txt'))
    .action(async (scope: string, key: string, options: Options) => {
      const client = await connect(context, options);
      const value = options.stringValue ?? (await readValue(context));
      await client.secretsPut({ scope, key, ...toField(value) });
      print(context, `secret ${scope}/${key} is stored`);
    });
  return addConnectionOptions(command);
}

async function readValue(context: CliContext): Promise<Buffer> {
  if (context.isInputTty) note(context, 'type the value, then Ctrl-D on a line of its own');
  return context.readInput();
}

/** The last line break is the editor's or the shell's; bytes that are no text stay as they are. */
function toField(value: string | Buffer): { string_value: string } | { bytes_value: string } {
  if (typeof value === 'string') return { string_value: value };
  const text = value.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(value)) return { bytes_value: value.toString('base64') };
  return { string_value: text.replace(/\r?\n$/, '') };
}

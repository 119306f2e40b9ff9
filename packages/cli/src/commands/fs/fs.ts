/** `headrace fs ls`, `cat`, `mkdir` and `rm`: files of dbfs:/ and /Volumes */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printTable } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { createFsCpCommand } from './copy-files.ts';
import { readRemote, toRemotePath } from './remote-files.ts';

export function createFsCommands(context: CliContext): Command[] {
  return [
    createLsCommand(context),
    createCatCommand(context),
    createFsCpCommand(context),
    createMkdirCommand(context),
    createRmCommand(context),
  ];
}

function createLsCommand(context: CliContext): Command {
  const command = new Command('ls')
    .description('list a folder, or one file')
    .argument('<path>', 'dbfs:/… or /Volumes/…')
    .addHelpText('after', example('fs ls /Volumes/main/default/landing'))
    .action(async (text: string, options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const listed = await client.dbfsList({ path: requireRemote(text) });
      printTable(context, options, listed, () => ({
        columns: ['path', 'bytes', 'changed'],
        rows: (listed.files ?? []).map((file) => [
          file.is_dir ? `${file.path}/` : file.path,
          file.is_dir ? '-' : String(file.file_size),
          new Date(file.modification_time).toISOString().slice(0, 19).replace('T', ' '),
        ]),
        empty: 'nothing is in it',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createCatCommand(context: CliContext): Command {
  const command = new Command('cat')
    .description('print a file of text; `fs cp` brings any other')
    .argument('<path>', 'dbfs:/… or /Volumes/…')
    .addHelpText('after', example('fs cat dbfs:/landing/notes.txt'))
    .action(async (text: string, options: ConnectionOptions) => {
      const client = await connect(context, options);
      const decoder = new TextDecoder();
      for await (const part of readRemote(client, requireRemote(text)))
        context.stdout.write(decoder.decode(part, { stream: true }));
      context.stdout.write(decoder.decode());
    });
  return addConnectionOptions(command);
}

function createMkdirCommand(context: CliContext): Command {
  const command = new Command('mkdir')
    .description('make a folder and those above it')
    .argument('<path>', 'dbfs:/… or /Volumes/…')
    .addHelpText('after', example('fs mkdir /Volumes/main/default/landing/2026'))
    .action(async (text: string, options: ConnectionOptions) => {
      const client = await connect(context, options);
      await client.dbfsMkdirs({ path: requireRemote(text) });
      print(context, `${text} is there`);
    });
  return addConnectionOptions(command);
}

function createRmCommand(context: CliContext): Command {
  const command = new Command('rm')
    .description('delete a file or an empty folder, or with -r a folder with all in it, which asks first')
    .argument('<path>', 'dbfs:/… or /Volumes/…')
    .option('-r, --recursive', 'a folder with all in it')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('fs rm dbfs:/landing/old.csv'))
    .action(
      async (text: string, options: ConnectionOptions & { recursive?: boolean; autoApprove?: boolean }) => {
        const path = requireRemote(text);
        const client = await connect(context, options);
        const { recursive = false } = options;
        const { is_dir } = await client.dbfsGetStatus({ path });
        const warning = recursive && is_dir ? `This deletes ${text} with all files in it.` : undefined;
        await approve(context, warning, options);
        await client.dbfsDelete({ path, recursive });
        print(context, `${text} is deleted`);
      },
    );
  return addConnectionOptions(command);
}

function requireRemote(text: string): string {
  const path = toRemotePath(text);
  if (path !== null) return path;
  const cure = 'write dbfs:/… or /Volumes/…';
  throw new CommandError(`${text} is no path of the server`, { exitCode: exitCodes.usage, cure });
}

/** `headrace runs export` */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Client, exportViews } from '@headrace/api';
import { Command, Option } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printDocument } from '../../output/print.ts';
import { findTask } from '../../runs/find-task.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly task?: string;
  readonly views: (typeof exportViews)[number];
  readonly outputFile?: string;
}

export function createRunsExportCommand(context: CliContext): Command {
  const command = new Command('export')
    .description('hand out the notebook of one task run as a page of HTML')
    .argument('<run>', 'id of the run of a task, or of the whole run with --task', parseId)
    .option('--task <key>', 'the task of the run')
    .option('--output-file <file>', 'write the page there instead of printing it')
    .addOption(new Option('--views <views>', 'what to export').choices(exportViews).default('CODE'))
    .addHelpText('after', example('runs export 2077 --task publish --output-file publish.html'))
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      const taskRunId = await chooseTaskRun(client, runId, options);
      const exported = await client.runsExport({ run_id: taskRunId, views_to_export: options.views });
      const pages = exported.views.map(({ content }) => content).join('\n');
      if (options.outputFile === undefined) {
        if (options.output === 'json') printDocument(context, options, exported, () => '');
        else print(context, pages.trimEnd());
        return;
      }
      await writePages(path.resolve(context.folder, options.outputFile), pages);
      printDocument(context, options, exported, () => `wrote ${options.outputFile}`);
    });
  return addOutputOption(addConnectionOptions(command));
}

async function chooseTaskRun(client: Client, runId: number, { task }: Options): Promise<number> {
  return task === undefined ? runId : findTask(await getWholeRun(client, runId), task).run_id;
}

async function writePages(file: string, pages: string): Promise<void> {
  try {
    await writeFile(file, pages);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`cannot write ${file}: ${reason}`, { exitCode: exitCodes.failed, cause });
  }
}

/** `headrace bundle generate` */
import path from 'node:path';
import { generateJob, loadBundle, writeGenerated } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';
import { createGenerateDeployCommand } from './generate-deploy.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly existingJobId: number;
  readonly key?: string;
  readonly configDir: string;
  readonly sourceDir: string;
  readonly folder?: string;
  readonly force?: boolean;
}

export function createBundleGenerateCommand(context: CliContext): Command {
  return new Command('generate')
    .description('write the files of a bundle from what exists in the workspace')
    .addHelpText('after', example('bundle generate job --existing-job-id 1042'))
    .addCommand(createGenerateJobCommand(context))
    .addCommand(createGeneratePipelineCommand())
    .addCommand(createGenerateDeployCommand(context));
}

function createGenerateJobCommand(context: CliContext): Command {
  const command = new Command('job')
    .description('write a job of the workspace, and the files that its tasks run, into the bundle')
    .requiredOption('--existing-job-id <id>', 'id of the job', parseId)
    .option('--key <key>', 'its key in the bundle (default: made from its name)')
    .option('--config-dir <dir>', 'where the configuration goes', 'resources')
    .option('--source-dir <dir>', 'where notebooks and files go', 'src')
    .option('--folder <dir>', 'folder of databricks.yml (default: this one)')
    .option('--force', 'overwrite files that are there')
    .addHelpText('after', example('bundle generate job --existing-job-id 1042 --key orders'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { key, files } = await generateJob(client, {
        jobId: options.existingJobId,
        key: options.key,
        configFolder: toInner(options.configDir),
        sourceFolder: toInner(options.sourceDir),
      });
      const folder = path.resolve(context.folder, options.folder ?? '.');
      await writeGenerated(files, { folder, overwrites: options.force ?? false });
      const paths = files.map((file) => file.path);
      const { configFiles } = await loadBundle(folder);
      if (!configFiles.some((file) => paths.includes(file)))
        note(
          context,
          `no file includes it yet: write \`include: [${path.posix.join(toInner(options.configDir), '*.yml')}]\` in databricks.yml`,
        );
      const bind = `headrace bundle deployment bind ${key} ${options.existingJobId}`;
      printDocument(context, options, { key, files: paths }, () =>
        [
          ...paths,
          '',
          `\`${bind}\` makes the bundle the owner of the job; without it, a deploy makes another`,
        ].join('\n'),
      );
    });
  return addOutputOption(addConnectionOptions(command));
}

function createGeneratePipelineCommand(): Command {
  return new Command('pipeline')
    .description('not here yet: pipelines do not run on Headrace so far')
    .option('--existing-pipeline-id <id>', 'id of the pipeline')
    .addHelpText('after', example('bundle generate pipeline --help'))
    .action(() => {
      throw new CommandError('pipelines do not run here yet, so there is none to generate from', {
        exitCode: exitCodes.usage,
      });
    });
}

function toInner(folder: string): string {
  const normal = path.posix.normalize(folder).replace(/\/$/, '');
  if (!normal.startsWith('..') && !path.posix.isAbsolute(normal)) return normal;
  throw new CommandError(`${folder} leads out of the bundle`, { exitCode: exitCodes.usage });
}

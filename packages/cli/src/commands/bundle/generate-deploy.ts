/** `headrace bundle generate deploy`: what a deploy would send, in files; nothing is changed. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toPlain } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { note } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { planDeployment, showPlan } from './plan-deployment.ts';

interface Options extends BundleOptions {
  readonly outputDir: string;
}

export function createGenerateDeployCommand(context: CliContext): Command {
  const command = new Command('deploy')
    .description('print the plan and write the resolved documents to a folder, without deploying')
    .option('--output-dir <dir>', 'the folder, which is made anew for each target', 'generated')
    .addHelpText('after', example('bundle generate deploy -t prod'))
    .action(async (options: Options) => {
      const plan = await planDeployment(context, await openBundle(context, options));
      const { bundle } = plan.prepared;
      const folder = await makeFolder(path.resolve(context.folder, options.outputDir), bundle.target);
      await writeDocument(path.join(folder, mainDocument), toPlain(bundle.root));
      for (const { action, kind, key, document } of plan.actions) {
        if (action !== 'delete') await writeDocument(path.join(folder, kind, `${key}.json`), document);
      }
      context.stdout.write(`${showPlan(context, plan)}\n`);
      note(context, `the documents are in ${folder}; nothing was deployed`);
    });
  return addBundleOptions(command);
}

const mainDocument = 'bundle.json';
/** In each folder that this command made. */
const marker = '.headrace-generated';

/** Without the documents of an earlier time, and no part of the bundle that it lies in. */
async function makeFolder(outputFolder: string, target: string): Promise<string> {
  const folder = path.join(outputFolder, target);
  const there = await readdir(folder).catch((): string[] => []);
  if (there.length > 0 && !there.includes(marker)) {
    throw new CommandError(`${folder} holds files that this command did not write; nothing was written`, {
      exitCode: exitCodes.usage,
      cure: 'name another folder with --output-dir, or remove it',
    });
  }
  if (there.length > 0) await rm(folder, { recursive: true });
  const made = await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, marker), 'Made anew by `headrace bundle generate deploy`.\n');
  // Nobody's other files are in a folder that was made now.
  const isNew = made !== undefined && !made.startsWith(`${outputFolder}${path.sep}`);
  if (isNew) await writeFile(path.join(outputFolder, '.gitignore'), '*\n');
  return folder;
}

async function writeDocument(file: string, document: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
}

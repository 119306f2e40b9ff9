/** `headrace bundle init` */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type CreatedProject,
  createProject,
  findTemplate,
  listTemplates,
  type Question,
} from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, findConnection } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly outputDir: string;
  readonly configFile?: string;
  readonly templateDir?: string;
  readonly branch?: string;
  readonly tag?: string;
}

const defaultTemplate = 'default-python';

export function createBundleInitCommand(context: CliContext): Command {
  const command = new Command('init')
    .description('make a new bundle from a template')
    .argument('[template]', 'a built-in template, a folder, or the address of a Git repository')
    .option('--output-dir <dir>', 'where its folder is made', '.')
    .option(
      '--config-file <json>',
      'answers, as one JSON object; without a terminal, defaults count for the rest',
    )
    .option('--template-dir <dir>', 'folder of the template in the repository')
    .option('--branch <name>', 'branch of the Git repository')
    .option('--tag <name>', 'tag of the Git repository')
    .addHelpText(
      'after',
      example('bundle init minimal', 'bundle init ./our-template --config-file answers.json'),
    )
    .action(async (named: string | undefined, options: Options) => {
      const template = named ?? (await chooseTemplate(context));
      const project = await create(context, template, options);
      printDocument(context, options, project, () => project.successMessage?.trim() ?? describe(project));
    });
  return addOutputOption(addConnectionOptions(command));
}

async function chooseTemplate(context: CliContext): Promise<string> {
  const known = await listTemplates();
  if (context.ask === undefined) {
    throw new CommandError('which template is to be used?', {
      exitCode: exitCodes.usage,
      cure: `name one: ${known.join(', ')}, a folder, or the address of a Git repository`,
    });
  }
  const answer = (await context.ask(`Template (${known.join(', ')}) [${defaultTemplate}]:`)).trim();
  return answer === '' ? defaultTemplate : answer;
}

async function create(context: CliContext, template: string, options: Options): Promise<CreatedProject> {
  if (options.branch !== undefined && options.tag !== undefined)
    throw new CommandError('--branch and --tag exclude each other', { exitCode: exitCodes.usage });
  const { ask } = context;
  const found = await findTemplate(template, {
    ref: options.branch ?? options.tag,
    subfolder: options.templateDir,
    from: context.folder,
    environment: context.settings.environment,
  });
  try {
    return await createProject({
      templateFolder: found.folder,
      templateRoot: found.root,
      outputFolder: path.resolve(context.folder, options.outputDir),
      facts: await readFacts(context, options),
      given: options.configFile === undefined ? {} : await readAnswers(context, options.configFile),
      ask: ask === undefined ? undefined : (question) => ask(phrase(question)),
      onWelcome: (message) => note(context, message.trim()),
    });
  } finally {
    await found.release();
  }
}

/** A server is not needed: without one, somebody stands for the caller. */
async function readFacts(context: CliContext, options: Options) {
  const facts = { defaultCatalog: 'dev', isServicePrincipal: false };
  try {
    const { baseUrl } = await findConnection(context, options);
    const { userName } = await (await connect(context, options)).currentUserMe({});
    return { ...facts, workspaceHost: baseUrl, userName };
  } catch {
    return { ...facts, workspaceHost: 'http://127.0.0.1:8080', userName: 'you' };
  }
}

async function readAnswers(context: CliContext, file: string): Promise<Record<string, unknown>> {
  const place = path.resolve(context.folder, file);
  try {
    const document: unknown = JSON.parse(await readFile(place, 'utf8'));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return { ...document };
    throw new Error('it is no JSON object');
  } catch (error) {
    throw new CommandError(
      `cannot read ${place}: ${error instanceof Error ? error.message : String(error)}`,
      {
        exitCode: exitCodes.usage,
      },
    );
  }
}

function phrase({ text, property, suggested }: Question): string {
  const choices = property.enum ?? (property.type === 'boolean' ? ['yes', 'no'] : []);
  const shown = typeof suggested === 'boolean' ? (suggested ? 'yes' : 'no') : suggested;
  return `${text}${choices.length > 0 ? ` (${choices.join(', ')})` : ''}${shown === undefined ? '' : ` [${shown}]`}:`;
}

function describe({ files }: CreatedProject): string {
  return files.join('\n');
}

/** `headrace bundle run` */
import type { Client } from '@headrace/api';
import { type ResolvedBundle, type ResolvedScript, readDeployment } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { followRun } from '../../runs/follow-run.ts';
import { example } from '../example.ts';
import { addStartOptions, type StartOptions, toStartFields } from '../run-options.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { runScript } from './run-script.ts';

interface Options extends BundleOptions, OutputOptions, StartOptions {
  readonly wait: boolean;
  readonly logs: boolean;
  readonly restart?: boolean;
}

const pollMs = 1_000;

export function createBundleRunCommand(context: CliContext): Command {
  const command = new Command('run')
    .description(
      'run a deployed job, or a script, of the bundle and wait for it; exit code 1 if it does not succeed',
    )
    .argument('[key]', 'key of the job or script in the bundle; may be left out when there is one job')
    .argument('[arguments...]', "after --: a script's arguments, or job parameters as --name=value")
    .option('--no-wait', 'return as soon as the run is started')
    .option('--no-logs', 'do not show what tasks print')
    .option('--restart', 'cancel runs of the job that are under way, and wait for their end, first')
    .addHelpText(
      'after',
      example(
        'bundle run flights_daily --param run_date=2013-01-02',
        'bundle run flights_daily --only silver+',
        'bundle run flights_daily -- --run_date=2013-01-02',
      ),
    )
    .action(async (key: string | undefined, args: readonly string[], options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const script = findScript(bundle, key);
      if (script !== undefined) await runScript(context, { script, bundle, args }, options);
      else await runJob(context, { bundle, client, key: chooseJob(bundle, key), args }, options);
    });
  return addOutputOption(addBundleOptions(addStartOptions(command)));
}

interface JobToRun {
  readonly bundle: ResolvedBundle;
  readonly client: Client;
  readonly key: string;
  readonly args: readonly string[];
}

async function runJob(
  context: CliContext,
  { bundle, client, key, args }: JobToRun,
  options: Options,
): Promise<void> {
  const job_id = await findDeployedJob(bundle, client, key);
  const params = { ...options.params, ...parseJobArguments(args) };
  if (options.restart) await endRuns(context, client, job_id);
  const fields = toStartFields({ ...options, ...(Object.keys(params).length > 0 && { params }) });
  const started = await client.jobsRunNow({ job_id, ...fields });
  if (!options.wait) {
    printDocument(context, options, started, () => `run ${started.run_id} of ${key} started`);
    return;
  }
  note(context, `run ${started.run_id} of ${key} started`);
  await followRun(context, client, started.run_id, options, { showsLogs: options.logs });
}

async function endRuns(context: CliContext, client: Client, job_id: number): Promise<void> {
  const listActive = async () => (await client.runsList({ job_id, active_only: true })).runs ?? [];
  const active = await listActive();
  if (active.length === 0) return;
  note(context, `cancelling ${active.map(({ run_id }) => `run ${run_id}`).join(', ')}`);
  await client.runsCancelAll({ job_id });
  while ((await listActive()).length > 0) {
    if (context.interrupted.aborted)
      throw new CommandError('stopped waiting', { exitCode: exitCodes.failed });
    await context.clock.sleep(pollMs, context.interrupted);
  }
}

/** `--name=value`, `--name value`, `name=value`. */
export function parseJobArguments(args: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let index = 0; index < args.length; index += 1) {
    const text = args[index] ?? '';
    const equals = text.indexOf('=');
    const isFlag = text.startsWith('--');
    if (equals > 0) found[text.slice(isFlag ? 2 : 0, equals)] = text.slice(equals + 1);
    else if (isFlag && text.length > 2 && index + 1 < args.length) {
      index += 1;
      found[text.slice(2)] = args[index] ?? '';
    } else {
      throw new CommandError(`'${text}' is no job parameter`, {
        exitCode: exitCodes.usage,
        cure: 'write --name=value after --',
      });
    }
  }
  return found;
}

/** A job of the same name comes first. */
function findScript(bundle: ResolvedBundle, key: string | undefined): ResolvedScript | undefined {
  if (bundle.jobs.some((job) => job.key === key)) return undefined;
  return bundle.scripts.find(({ name }) => name === key);
}

function chooseJob(bundle: ResolvedBundle, key: string | undefined): string {
  const keys = bundle.jobs.map((job) => job.key);
  const [only] = keys;
  if (key === undefined && only !== undefined && keys.length === 1) return only;
  if (key !== undefined && keys.includes(key)) return key;
  const unsupported = bundle.unsupported.find((resource) => resource.key === key);
  if (unsupported !== undefined) {
    throw new CommandError(`${unsupported.kind} do not run here yet`, { exitCode: exitCodes.usage });
  }
  const scripts = bundle.scripts.map(({ name }) => name);
  throw new CommandError(key === undefined ? 'which job is to run?' : `the bundle has no job ${key}`, {
    exitCode: key === undefined ? exitCodes.usage : exitCodes.notFound,
    cure: `its jobs are ${keys.join(', ') || '(none)'}${scripts.length > 0 ? `, its scripts ${scripts.join(', ')}` : ''}`,
  });
}

async function findDeployedJob(bundle: ResolvedBundle, client: Client, key: string): Promise<number> {
  const { state, remotes } = await readDeployment(bundle, client);
  const recorded = state.resources[`jobs.${key}`];
  if (recorded !== undefined && remotes.has(`jobs.${key}`)) return Number(recorded.id);
  throw new CommandError(`job ${key} is not deployed to target ${bundle.target}`, {
    exitCode: exitCodes.notFound,
    cure: `deploy it with \`headrace bundle deploy -t ${bundle.target}\``,
  });
}

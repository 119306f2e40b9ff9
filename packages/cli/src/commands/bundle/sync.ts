/** `headrace bundle sync` */
import path from 'node:path';
import { fingerprintFolder, hasErrors, type SyncOptions, syncBundle } from '@headrace/bundle';
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { exitCodes, toCommandError } from '../../command-error.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { example } from '../example.ts';
import { addLockOption, type LockFlags, lockFor } from './lock.ts';
import { addBundleOptions, type BundleOptions, checkOnline } from './open-bundle.ts';
import { printProblems, tooManyProblems } from './print-problems.ts';
import { FolderWatch } from './watch-folders.ts';

interface Options extends BundleOptions, LockFlags {
  readonly watch?: boolean;
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly interval: number;
}

const intervalMsMin = 100;
const intervalMsMax = 60 * 60 * 1_000;

export function createBundleSyncCommand(context: CliContext): Command {
  const command = new Command('sync')
    .description(
      'send files that changed to the workspace, without deploying; the next deploy starts from them',
    )
    .option('--watch', 'go on sending what changes, until Ctrl-C')
    .option('--full', 'send all files, also those that are there already')
    .option('--dry-run', 'only say what would be done')
    .option(
      '--interval <time>',
      'with --watch: look again after this time even if the system tells of no change, as 500ms, 10s, 1m',
      parseInterval,
      10_000,
    )
    .addHelpText('after', example('bundle sync --dry-run', 'bundle sync --watch -t dev'))
    .action(async (options: Options) => {
      if (options.watch) await watchAndSend(context, options);
      else await sendOnce(context, options);
    });
  return addLockOption(addBundleOptions(command));
}

async function sendOnce(
  context: CliContext,
  options: Options,
  { showsWarnings = true }: { readonly showsWarnings?: boolean } = {},
): Promise<void> {
  const { client, loaded, bundle, problems } = await checkOnline(context, options);
  const shown = problems.filter(({ severity }) => showsWarnings || severity === 'error');
  await printProblems(context, loaded.folder, shown);
  if (bundle === null || hasErrors(problems)) throw tooManyProblems(problems);
  const { filePath } = bundle.workspace;
  const isDryRun = options.dryRun ?? false;
  const how: SyncOptions = {
    ...{ sendsAll: options.full ?? false, isDryRun },
    lock: await lockFor(context, options, 'sync'),
  };
  const { put, remove } = await syncBundle(bundle, client, how);
  const [sent, removed] = isDryRun ? ['would send', 'would remove'] : ['sent', 'removed'];
  for (const { local } of put) print(context, `${sent} ${local.path}`);
  for (const remote of remove) print(context, `${removed} ${path.posix.relative(filePath, remote)}`);
  if (put.length + remove.length === 0) print(context, `nothing to send: ${filePath} has all files`);
  else print(context, `${sent} ${count(put.length, 'file')}, ${removed} ${remove.length}: ${filePath}`);
}

/** Whatever goes wrong may be mended in the next moment, by the same person. */
async function watchAndSend(context: CliContext, options: Options): Promise<void> {
  const { interrupted: signal, clock } = context;
  const folder = path.resolve(context.folder, options.folder ?? '.');
  const watch = new FolderWatch({
    clock,
    onTrouble: (reason) => note(context, `the system tells of no changes, looking again by time: ${reason}`),
  });
  try {
    let seen: string | null = null;
    let isFirst = true;
    while (!signal.aborted) {
      const { fingerprint, folders } = await fingerprintFolder(folder);
      watch.add(folders);
      if (fingerprint !== seen) {
        const full = isFirst && options.full === true;
        const isSettled = await trySending(context, { ...options, full }, { showsWarnings: isFirst });
        seen = isSettled ? fingerprint : null;
      }
      if (isFirst) note(context, `watching ${folder}; Ctrl-C ends`);
      isFirst = false;
      await watch.wait({ intervalMs: options.interval, signal });
    }
  } finally {
    watch.close();
  }
}

/** false: it is worth another try even if no file changes. */
async function trySending(
  context: CliContext,
  options: Options,
  how: { readonly showsWarnings: boolean },
): Promise<boolean> {
  try {
    await sendOnce(context, options, how);
    return true;
  } catch (error) {
    if (context.interrupted.aborted) return true;
    const known = toCommandError(error);
    if (known === undefined) throw error;
    note(context, `error: ${known.message}`);
    return known.exitCode === exitCodes.usage;
  }
}

function parseInterval(text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const elapsedMs = Number(number) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm']; // As the pattern says.
  if (number !== '' && elapsedMs >= intervalMsMin && elapsedMs <= intervalMsMax) return elapsedMs;
  throw new InvalidArgumentError('Write a time from 100ms to 60m, as 500ms, 10s or 1m.');
}

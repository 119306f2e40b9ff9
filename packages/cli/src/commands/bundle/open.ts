/** `headrace bundle open` */
import type { BundleSummary } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { note, print } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { readSummary } from './summary.ts';

interface Options extends BundleOptions {
  readonly urlOnly?: boolean;
}

export function createBundleOpenCommand(context: CliContext): Command {
  const command = new Command('open')
    .description('show the page of a deployed resource in the browser, and print its address')
    .argument('[key]', 'key in the bundle, or kind.key; without it the only job, or the list of jobs')
    .option('--url-only', 'only print the address')
    .addHelpText('after', example('bundle open flights_daily', 'bundle open --url-only -t prod'))
    .action(async (key: string | undefined, options: Options) => {
      const url = findPage(await readSummary(await openBundle(context, options)), key);
      print(context, url);
      // Elsewhere than on a terminal, nobody looks at a browser.
      if (options.urlOnly || context.openPage === undefined) return;
      if (!(await context.openPage(url))) note(context, 'nothing on this machine opens pages');
    });
  return addBundleOptions(command);
}

function findPage({ host, target, resources }: BundleSummary, key: string | undefined): string {
  if (key === undefined) {
    const [only, other] = resources.flatMap(({ url, state }) => (url && state === 'deployed' ? [url] : []));
    return only !== undefined && other === undefined ? only : `${host}/jobs`;
  }
  const found = resources.filter((each) => each.key === key || each.resource === key);
  const [resource = null] = found.some(({ url }) => url !== null)
    ? found.filter(({ url }) => url !== null)
    : found;
  if (resource === null) {
    throw new CommandError(`the bundle has no resource ${key}`, {
      exitCode: exitCodes.notFound,
      cure: `its resources are ${resources.map((each) => each.resource).join(', ') || '(none)'}`,
    });
  }
  if (resource.url !== null) return resource.url;
  if (resource.state === 'deployed')
    throw new CommandError(`${resource.resource} has no page; jobs have`, { exitCode: exitCodes.usage });
  throw new CommandError(
    `${resource.resource} is ${resource.state === 'gone' ? 'gone from' : 'not deployed to'} target ${target}`,
    {
      exitCode: exitCodes.notFound,
      cure: `deploy it with \`headrace bundle deploy -t ${target}\``,
    },
  );
}

/** `headrace repos list` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly pathPrefix?: string;
  readonly nextPageToken?: string;
}

const commitCharsShown = 12;

export function createReposListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list Git folders by path')
    .option('--path-prefix <path>', 'only those below it')
    .option('--next-page-token <token>', 'go on where an earlier page ended')
    .addHelpText('after', example('repos list --path-prefix /Repos/ann'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { pathPrefix, nextPageToken } = options;
      const page = await client.reposList({
        ...(pathPrefix === undefined ? {} : { path_prefix: pathPrefix }),
        ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
      });
      printTable(context, options, page, () => ({
        columns: ['id', 'path', 'branch', 'commit', 'url'],
        rows: (page.repos ?? []).map((repo) => [
          String(repo.id),
          repo.path,
          repo.branch ?? '-',
          repo.head_commit_id?.slice(0, commitCharsShown) ?? '-',
          repo.url,
        ]),
        empty: 'no Git folders; `headrace repos create` makes one',
      }));
      if (options.output === 'table' && page.next_page_token)
        note(context, `more: headrace repos list --next-page-token ${page.next_page_token}`);
    });
  return addOutputOption(addConnectionOptions(command));
}

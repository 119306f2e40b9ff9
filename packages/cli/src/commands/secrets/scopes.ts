/** `headrace secrets create-scope`, `list-scopes` and `delete-scope` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printTable } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';

interface CreateOptions extends ConnectionOptions {
  readonly initialManagePrincipal?: string;
}

export function createSecretsCreateScopeCommand(context: CliContext): Command {
  const command = new Command('create-scope')
    .description('make a scope: a set of secrets with one access list')
    .argument('<scope>', 'letters, digits and _.@- ; it must be new')
    .option('--initial-manage-principal <group>', 'who manages it; users: everybody (default: you)')
    .addHelpText('after', example('secrets create-scope prod'))
    .action(async (scope: string, options: CreateOptions) => {
      const client = await connect(context, options);
      const { initialManagePrincipal: principal } = options;
      await client.secretScopesCreate({
        scope,
        ...(principal === undefined ? {} : { initial_manage_principal: principal }),
      });
      print(context, `scope ${scope} is made`);
    });
  return addConnectionOptions(command);
}

export function createSecretsListScopesCommand(context: CliContext): Command {
  const command = new Command('list-scopes')
    .description('list all scopes')
    .addHelpText('after', example('secrets list-scopes'))
    .action(async (options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const listed = await client.secretScopesList({});
      printTable(context, options, listed, () => ({
        columns: ['scope'],
        rows: (listed.scopes ?? []).map(({ name }) => [name]),
        empty: 'no scopes: `headrace secrets create-scope NAME` makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createSecretsDeleteScopeCommand(context: CliContext): Command {
  const command = new Command('delete-scope')
    .description('delete a scope with its secrets and access list')
    .argument('<scope>')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('secrets delete-scope prod'))
    .action(async (scope: string, options: ConnectionOptions & { readonly autoApprove?: boolean }) => {
      const client = await connect(context, options);
      await approve(context, `This deletes scope ${scope} with all its secrets, for good.`, options);
      await client.secretScopesDelete({ scope });
      print(context, `scope ${scope} is deleted`);
    });
  return addConnectionOptions(command);
}

/** `headrace secrets put-acl`, `get-acl`, `list-acls` and `delete-acl` */
import { type SecretPermission, secretPermissions } from '@headrace/api';
import { Argument, Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

export function createSecretsPutAclCommand(context: CliContext): Command {
  const command = new Command('put-acl')
    .description('give a user, or the group users or admins, a permission on a scope')
    .argument('<scope>')
    .argument('<principal>')
    .addArgument(
      new Argument('<permission>', 'each includes those before it').choices([...secretPermissions]),
    )
    .addHelpText('after', example('secrets put-acl prod ada@example.org READ'))
    .action(
      async (scope: string, principal: string, permission: SecretPermission, options: ConnectionOptions) => {
        const client = await connect(context, options);
        await client.secretAclsPut({ scope, principal, permission });
        print(context, `${principal} has ${permission} on scope ${scope}`);
      },
    );
  return addConnectionOptions(command);
}

export function createSecretsGetAclCommand(context: CliContext): Command {
  const command = new Command('get-acl')
    .description('tell what a user or group has been given on a scope')
    .argument('<scope>')
    .argument('<principal>')
    .addHelpText('after', example('secrets get-acl prod users'))
    .action(async (scope: string, principal: string, options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const acl = await client.secretAclsGet({ scope, principal });
      printTable(context, options, acl, () => toTable([acl]));
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createSecretsListAclsCommand(context: CliContext): Command {
  const command = new Command('list-acls')
    .description('list who has been given what on a scope')
    .argument('<scope>')
    .addHelpText('after', example('secrets list-acls prod'))
    .action(async (scope: string, options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const listed = await client.secretAclsList({ scope });
      printTable(context, options, listed, () => toTable(listed.items ?? []));
    });
  return addOutputOption(addConnectionOptions(command));
}

export function createSecretsDeleteAclCommand(context: CliContext): Command {
  const command = new Command('delete-acl')
    .description('take away what a user or group has been given on a scope')
    .argument('<scope>')
    .argument('<principal>')
    .addHelpText('after', example('secrets delete-acl prod users'))
    .action(async (scope: string, principal: string, options: ConnectionOptions) => {
      const client = await connect(context, options);
      await client.secretAclsDelete({ scope, principal });
      print(context, `${principal} has been given nothing on scope ${scope} any more`);
    });
  return addConnectionOptions(command);
}

function toTable(acls: readonly { readonly principal: string; readonly permission: string }[]) {
  return {
    columns: ['principal', 'permission'],
    rows: acls.map(({ principal, permission }) => [principal, permission]),
    empty: 'nobody but administrators',
  };
}

/** `headrace cluster-policies …`: documents go to the server as they are written, which says what is wrong with them. */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, print, printDocument, printTable } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocument } from '../json-document.ts';

type Options = ConnectionOptions & OutputOptions;
type FileOptions = Options & DocumentOptions;

export function createClusterPolicyCommands(context: CliContext): Command[] {
  return [
    createListCommand(context),
    createGetCommand(context),
    createCreateCommand(context),
    createEditCommand(context),
    createDeleteCommand(context),
    createFamiliesCommand(context),
    createGetFamilyCommand(context),
  ];
}

function createListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list cluster policies, by name')
    .addHelpText('after', example('cluster-policies list'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.clusterPoliciesList({ sort_column: 'POLICY_NAME' });
      printTable(context, options, listed, () => ({
        columns: ['id', 'name', 'family', 'owner', 'created'],
        rows: (listed.policies ?? []).map((policy) => [
          policy.policy_id,
          policy.name,
          policy.policy_family_id ?? '-',
          policy.creator_user_name ?? '-',
          formatInstant(policy.created_at_timestamp),
        ]),
        empty: 'no cluster policies: `headrace cluster-policies create` makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one policy and its rules')
    .argument('<id>', 'as `cluster-policies list` shows it')
    .addHelpText('after', example('cluster-policies get 9C6308F703005DF2'))
    .action(async (id: string, options: Options) => {
      const client = await connect(context, options);
      const policy = await client.clusterPoliciesGet({ policy_id: id });
      printTable(context, options, policy, () => ({
        columns: ['attribute', 'rule', 'with'],
        rows: toRules(policy.definition),
        empty: `policy '${policy.name}' has no rules`,
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function toRules(definition: string): string[][] {
  const rules = JSON.parse(definition || '{}') as Record<string, { readonly type?: string }>;
  return Object.entries(rules).map(([path, { type = '-', ...rest }]) => {
    const details = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return [path, type, details.join(' ') || '-'];
  });
}

function createCreateCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('create'), 'name and definition of the policy, as JSON')
    .description('make a policy; only administrators may')
    .addHelpText('after', example('cluster-policies create --json-file policy.json'))
    .action(async (options: FileOptions) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      const made = await client.clusterPoliciesCreate(withTextDefinition(document));
      printDocument(context, options, made, () => `policy ${made.policy_id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createEditCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('edit'), 'name and definition of the policy, as JSON')
    .description('replace what a policy says; clusters meet it when they are edited or made the next time')
    .argument('<id>', 'as `cluster-policies list` shows it')
    .addHelpText('after', example('cluster-policies edit 9C6308F703005DF2 --json-file policy.json'))
    .action(async (id: string, options: Omit<FileOptions, 'output'>) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      await client.clusterPoliciesEdit({ ...withTextDefinition(document), policy_id: id });
      print(context, `policy ${id} was changed`);
    });
  return addConnectionOptions(command);
}

/** The API takes definitions as texts that hold JSON; in a file they may also be written out. */
function withTextDefinition(document: Record<string, unknown>): Record<string, unknown> {
  const fields = ['definition', 'policy_family_definition_overrides'];
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => {
      const isWrittenOut = fields.includes(name) && typeof value === 'object' && value !== null;
      return [name, isWrittenOut ? JSON.stringify(value) : value];
    }),
  );
}

function createDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('delete a policy; clusters that name it can still run, and jobs that name it fail')
    .argument('<id>', 'as `cluster-policies list` shows it')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('cluster-policies delete 9C6308F703005DF2'))
    .action(async (id: string, options: ConnectionOptions & { readonly autoApprove?: boolean }) => {
      const client = await connect(context, options);
      await approve(context, `Jobs whose clusters name policy ${id} will fail.`, options);
      await client.clusterPoliciesDelete({ policy_id: id });
      print(context, `policy ${id} is deleted`);
    });
  return addConnectionOptions(command);
}

function createFamiliesCommand(context: CliContext): Command {
  const command = new Command('families')
    .description('list the families that policies may begin from')
    .addHelpText('after', example('cluster-policies families -o json'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.policyFamiliesList({});
      printTable(context, options, listed, () => ({
        columns: ['id', 'name', 'description'],
        rows: listed.policy_families.map((family) => [
          family.policy_family_id,
          family.name,
          family.description,
        ]),
        empty: 'no families',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createGetFamilyCommand(context: CliContext): Command {
  const command = new Command('get-family')
    .description('show the rules of a family')
    .argument('<id>', 'as `cluster-policies families` shows it')
    .addHelpText('after', example('cluster-policies get-family personal-vm'))
    .action(async (id: string, options: Options) => {
      const client = await connect(context, options);
      const family = await client.policyFamiliesGet({ policy_family_id: id });
      printTable(context, options, family, () => ({
        columns: ['attribute', 'rule', 'with'],
        rows: toRules(family.definition),
        empty: `family '${family.name}' has no rules`,
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

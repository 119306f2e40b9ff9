/** The command tree. Commands are made with their context, so that tests can give another. */
import { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { createAlertCommands } from './commands/alerts/alerts.ts';
import { createClusterPolicyCommands } from './commands/cluster-policies/policies.ts';
import { createClusterChangeCommands } from './commands/clusters/change.ts';
import { createClusterChoiceCommands } from './commands/clusters/choices.ts';
import { createClustersCreateCommand } from './commands/clusters/create.ts';
import { createClustersEventsCommand } from './commands/clusters/events.ts';
import { createClustersGetCommand } from './commands/clusters/get.ts';
import { createClustersListCommand } from './commands/clusters/list.ts';
import { example } from './commands/example.ts';
import { createFsCommands } from './commands/fs/fs.ts';
import {
  createGitCredentialsCreateCommand,
  createGitCredentialsUpdateCommand,
} from './commands/git-credentials/change.ts';
import { createGitCredentialsDeleteCommand } from './commands/git-credentials/delete.ts';
import {
  createGitCredentialsGetCommand,
  createGitCredentialsListCommand,
} from './commands/git-credentials/list.ts';
import { createInstancePoolCommands } from './commands/instance-pools/pools.ts';
import { createJobsCreateCommand } from './commands/jobs/create.ts';
import { createJobsDeleteCommand } from './commands/jobs/delete.ts';
import { createJobsGetCommand } from './commands/jobs/get.ts';
import { createJobsListCommand } from './commands/jobs/list.ts';
import { createJobsResetCommand } from './commands/jobs/reset.ts';
import { createJobsRunNowCommand } from './commands/jobs/run-now.ts';
import { createLibrariesCommands } from './commands/libraries/libraries.ts';
import { createQueryCommands } from './commands/queries/queries.ts';
import { createReposCreateCommand } from './commands/repos/create.ts';
import { createReposDeleteCommand } from './commands/repos/delete.ts';
import { createReposGetCommand } from './commands/repos/get.ts';
import { createReposListCommand } from './commands/repos/list.ts';
import { createReposUpdateCommand } from './commands/repos/update.ts';
import { createRunsCancelCommand } from './commands/runs/cancel.ts';
import { createRunsCancelAllCommand } from './commands/runs/cancel-all.ts';
import { createRunsDeleteCommand } from './commands/runs/delete.ts';
import { createRunsExportCommand } from './commands/runs/export.ts';
import { createRunsGetCommand } from './commands/runs/get.ts';
import { createRunsIterationsCommand } from './commands/runs/iterations.ts';
import { createRunsListCommand } from './commands/runs/list.ts';
import { createRunsLogsCommand } from './commands/runs/logs.ts';
import { createRunsRepairCommand } from './commands/runs/repair.ts';
import { createRunsWhyCommand } from './commands/runs/why.ts';
import {
  createSecretsDeleteAclCommand,
  createSecretsGetAclCommand,
  createSecretsListAclsCommand,
  createSecretsPutAclCommand,
} from './commands/secrets/acls.ts';
import { createSecretsGetSecretCommand } from './commands/secrets/get-secret.ts';
import { createSecretsPutSecretCommand } from './commands/secrets/put-secret.ts';
import { createSecretsRotateKeyCommand } from './commands/secrets/rotate-key.ts';
import {
  createSecretsCreateScopeCommand,
  createSecretsDeleteScopeCommand,
  createSecretsListScopesCommand,
} from './commands/secrets/scopes.ts';
import {
  createSecretsDeleteSecretCommand,
  createSecretsListSecretsCommand,
} from './commands/secrets/secrets-of-scope.ts';
import { createBackupCommand } from './commands/server/backup.ts';
import { createDoctorCommand } from './commands/server/doctor.ts';
import { createDownCommand } from './commands/server/down.ts';
import { createRestoreCommand } from './commands/server/restore.ts';
import { createSignInCommand } from './commands/server/sign-in.ts';
import { createStatusCommand } from './commands/server/status.ts';
import { createUpCommand } from './commands/server/up.ts';
import { createSqlCommand } from './commands/sql/sql.ts';
import { createTablesCommands } from './commands/tables/dropped.ts';
import { createVolumesCommands } from './commands/volumes/volumes.ts';
import { createWarehouseCommands } from './commands/warehouses/warehouses.ts';
import { createWorkersCreateTokenCommand } from './commands/workers/create-token.ts';
import { createWorkersListCommand } from './commands/workers/list.ts';
import { createWorkersRevokeTokenCommand, createWorkersTokensCommand } from './commands/workers/tokens.ts';
import { createWorkerCommand } from './commands/workers/worker.ts';
import { keepHarmlessHints } from './output/harmless-hints.ts';

export async function createProgram(context: CliContext, args: readonly string[]): Promise<Command> {
  const program = new Command('headrace')
    .description('Runs Spark and Python jobs on your own machines.')
    .version('0.1.0')
    .addHelpText('after', example('up', 'bundle deploy && headrace bundle run flights_daily'));
  program.addCommand(createUpCommand(context));
  program.addCommand(createDownCommand(context));
  program.addCommand(createStatusCommand(context));
  program.addCommand(createDoctorCommand(context));
  program.addCommand(createBackupCommand(context));
  program.addCommand(createRestoreCommand(context));
  program.addCommand(createSignInCommand(context));
  program.addCommand(createSqlCommand(context));
  program.addCommand(
    group('jobs', 'definitions of work', 'jobs list', [
      createJobsListCommand(context),
      createJobsGetCommand(context),
      createJobsCreateCommand(context),
      createJobsResetCommand(context),
      createJobsRunNowCommand(context),
      createJobsDeleteCommand(context),
      createRunsCancelCommand(context, 'jobs cancel-run'),
    ]),
  );
  program.addCommand(
    group('runs', 'executions of jobs', 'runs list', [
      createRunsListCommand(context),
      createRunsGetCommand(context),
      createRunsLogsCommand(context),
      createRunsIterationsCommand(context),
      createRunsWhyCommand(context),
      createRunsRepairCommand(context),
      createRunsCancelCommand(context),
      createRunsCancelAllCommand(context),
      createRunsDeleteCommand(context),
      createRunsExportCommand(context),
    ]),
  );
  for (const command of createComputeGroups(context)) program.addCommand(command);
  program.addCommand(
    group('repos', 'Git folders of the workspace', 'repos list', [
      createReposListCommand(context),
      createReposGetCommand(context),
      createReposCreateCommand(context),
      createReposUpdateCommand(context),
      createReposDeleteCommand(context),
    ]),
  );
  program.addCommand(
    group('git-credentials', 'tokens for private repositories', 'git-credentials list', [
      createGitCredentialsListCommand(context),
      createGitCredentialsGetCommand(context),
      createGitCredentialsCreateCommand(context),
      createGitCredentialsUpdateCommand(context),
      createGitCredentialsDeleteCommand(context),
    ]),
  );
  for (const command of createFileGroups(context)) program.addCommand(command);
  program.addCommand(createSecretsGroup(context));
  program.addCommand(createWorkerCommand(context));
  program.addCommand(
    group('workers', 'machines that run attempts', 'workers list', [
      createWorkersListCommand(context),
      createWorkersCreateTokenCommand(context),
      createWorkersTokensCommand(context),
      createWorkersRevokeTokenCommand(context),
    ]),
  );
  program.addCommand(await createBundleGroup(context, args));
  configure(program, context);
  return program;
}

function createComputeGroups(context: CliContext): Command[] {
  return [
    group('clusters', 'compute that tasks share', 'clusters list', [
      createClustersListCommand(context),
      createClustersGetCommand(context),
      createClustersCreateCommand(context),
      ...createClusterChangeCommands(context),
      createClustersEventsCommand(context),
      ...createClusterChoiceCommands(context),
    ]),
    group('libraries', 'what tasks get that name a cluster', 'libraries cluster-status etl', [
      ...createLibrariesCommands(context),
    ]),
    group('cluster-policies', 'rules for what clusters may be', 'cluster-policies list', [
      ...createClusterPolicyCommands(context),
    ]),
    group('queries', 'saved queries, which SQL tasks run', 'queries list', [...createQueryCommands(context)]),
    group('alerts', 'conditions on the results of queries', 'alerts list', [...createAlertCommands(context)]),
    group('warehouses', 'where SQL statements run', 'warehouses list', [...createWarehouseCommands(context)]),
    group('instance-pools', 'hosts that wait for clusters', 'instance-pools list', [
      ...createInstancePoolCommands(context),
    ]),
  ];
}

function createFileGroups(context: CliContext): Command[] {
  return [
    group('volumes', 'folders for files of any kind, by a three-level name', 'volumes list main.default', [
      ...createVolumesCommands(context),
    ]),
    group('tables', 'tables that were dropped', 'tables list-dropped', [...createTablesCommands(context)]),
    group('fs', 'files of dbfs:/ and /Volumes', 'fs ls dbfs:/', [...createFsCommands(context)]),
  ];
}

function createSecretsGroup(context: CliContext): Command {
  return group('secrets', 'values that are kept out of code and logs', 'secrets list-scopes', [
    createSecretsCreateScopeCommand(context),
    createSecretsListScopesCommand(context),
    createSecretsDeleteScopeCommand(context),
    createSecretsPutSecretCommand(context),
    createSecretsGetSecretCommand(context),
    createSecretsListSecretsCommand(context),
    createSecretsDeleteSecretCommand(context),
    createSecretsPutAclCommand(context),
    createSecretsGetAclCommand(context),
    createSecretsListAclsCommand(context),
    createSecretsDeleteAclCommand(context),
    createSecretsRotateKeyCommand(context),
  ]);
}

function group(name: string, description: string, line: string, commands: readonly Command[]): Command {
  const command = new Command(name).description(description).addHelpText('after', example(line));
  for (const child of commands) command.addCommand(child);
  return command;
}

/** What bundles need takes as long to load as all the rest: other commands see the group's name only. */
async function createBundleGroup(context: CliContext, args: readonly string[]): Promise<Command> {
  const command = group(
    'bundle',
    'jobs, files and wheels described by a databricks.yml',
    'bundle validate',
    [],
  );
  if (!args.includes('bundle')) return command;
  const { createBundleCommands } = await import('./commands/bundle/bundle.ts');
  for (const child of createBundleCommands(context)) command.addCommand(child);
  return command;
}

/** Commander hands settings down only to commands that it makes itself. */
function configure(command: Command, context: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    outputError: (text, write) => write(keepHarmlessHints(text, command)),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  for (const child of command.commands) configure(child, context);
}

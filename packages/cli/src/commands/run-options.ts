/** What one run may be given: job parameters, the older parameters, and which of its tasks run. */
import type { Command } from 'commander';
import { collectKeys, collectPairs, collectTexts } from './parse-options.ts';

export interface ParameterOptions {
  readonly params?: Record<string, string>;
  readonly notebookParam?: Record<string, string>;
  readonly pythonParam?: string[];
  readonly pythonNamedParam?: Record<string, string>;
  readonly jarParam?: string[];
  readonly sparkSubmitParam?: string[];
  readonly sqlParam?: Record<string, string>;
  readonly dbtCommand?: string[];
}

export interface StartOptions extends ParameterOptions {
  readonly only?: string[];
  readonly idempotencyToken?: string;
}

export function addParameterOptions(command: Command): Command {
  return command
    .option('--param, --params <name=value>', 'a job parameter; may be given several times', collectPairs)
    .option('--notebook-param <name=value>', 'a parameter of all notebook tasks', collectPairs)
    .option('--python-param <text>', 'a parameter of all Python file tasks, in order', collectTexts)
    .option('--python-named-param <name=value>', 'a named parameter of all wheel tasks', collectPairs)
    .option('--jar-param <text>', 'a parameter of all JAR tasks, in order', collectTexts)
    .option('--spark-submit-param <text>', 'a parameter of all spark-submit tasks, in order', collectTexts)
    .option('--sql-param <name=value>', 'a parameter of all SQL tasks', collectPairs)
    .option('--dbt-command <text>', 'a command of all dbt tasks, in order', collectTexts);
}

export function addStartOptions(command: Command): Command {
  return addParameterOptions(command)
    .option(
      '--only <keys>',
      'run only these tasks, with commas between; +KEY adds what it depends on, KEY+ what depends on it',
      collectKeys,
    )
    .option('--idempotency-token <token>', 'start no second run for the same token');
}

export function toParameterFields(options: ParameterOptions) {
  return {
    job_parameters: options.params,
    notebook_params: options.notebookParam,
    python_params: options.pythonParam,
    python_named_params: options.pythonNamedParam,
    jar_params: options.jarParam,
    spark_submit_params: options.sparkSubmitParam,
    sql_params: options.sqlParam,
    dbt_commands: options.dbtCommand,
  };
}

export function toStartFields(options: StartOptions) {
  return {
    ...toParameterFields(options),
    only: options.only,
    idempotency_token: options.idempotencyToken,
  };
}

/** `headrace alerts …`: alerts of both forms. */
import type { AlertFields, Client, TextAlertFields } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import {
  addOutputOption,
  note,
  type OutputOptions,
  print,
  printDocument,
  printTable,
} from '../../output/print.ts';
import { followRun } from '../../runs/follow-run.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocument } from '../json-document.ts';
import { conditionOf, type FoundAlert, findAlert, stateOf } from './find-alert.ts';

type Options = ConnectionOptions & OutputOptions;

/** Of each form; beyond it, `--output json` and the API's own pages. */
const listedMax = 1_000;

export function createAlertCommands(context: CliContext): Command[] {
  return [
    createListCommand(context),
    createGetCommand(context),
    createCreateCommand(context),
    createUpdateCommand(context),
    createDeleteCommand(context),
    createEventsCommand(context),
    createEvaluateCommand(context),
  ];
}

function createListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list alerts of both forms with their states')
    .addHelpText('after', example('alerts list'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const texts = await listPages((token) => client.textAlertsList({ page_size: 100, page_token: token }));
      const queries = await listPages((token) => client.alertsList({ page_size: 100, page_token: token }));
      const alerts = texts.flatMap((page) => page.alerts);
      const results = queries.flatMap((page) => page.results);
      const found: FoundAlert[] = [
        ...alerts.map((document) => ({ form: 'text' as const, document })),
        ...results.map((document) => ({ form: 'query' as const, document })),
      ];
      printTable(context, options, { alerts, results }, () => ({
        columns: ['id', 'name', 'state', 'condition', 'schedule', 'owner'],
        rows: found.map(toRow),
        empty: 'no alerts: `headrace alerts create`, or CREATE ALERT in `headrace sql`, makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

async function listPages<Page extends { readonly next_page_token?: string | undefined }>(
  read: (token: string) => Promise<Page>,
): Promise<Page[]> {
  const pages: Page[] = [];
  for (let token: string | undefined = ''; token !== undefined && pages.length < listedMax / 100; ) {
    const page: Page = await read(token);
    pages.push(page);
    token = page.next_page_token;
  }
  return pages;
}

function toRow(found: FoundAlert): string[] {
  const { document, form } = found;
  const schedule = form === 'text' ? (document.schedule?.quartz_cron_schedule ?? '') : '';
  const { id, display_name, owner_user_name } = document;
  return [id, display_name, stateOf(found), conditionOf(found), schedule, owner_user_name];
}

function createGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show the state of one alert; -o json shows all of it')
    .argument('<id>', 'as `alerts list` shows it')
    .addHelpText('after', example('alerts get 2f5c8a40-…'))
    .action(async (id: string, options: Options) => {
      const client = await connect(context, options);
      const found = await findAlert(client, id);
      printDocument(
        context,
        options,
        found.document,
        () => `${found.document.display_name}: ${stateOf(found)} (${conditionOf(found)})`,
      );
    });
  return addOutputOption(addConnectionOptions(command));
}

function createCreateCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('create'), 'the alert as the API takes it, as JSON')
    .description(
      'make an alert: one with query_text has its own query and schedule, one with query_id a saved query',
    )
    .addHelpText('after', example('alerts create --json-file alert.json'))
    .action(async (options: Options & DocumentOptions) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      const fields = innerOf(document);
      const made =
        fields.query_text === undefined
          ? await client.alertsCreate({ alert: fields as AlertFields })
          : await client.textAlertsCreate(fields as TextAlertFields);
      printDocument(context, options, made, () => `alert ${made.id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}

/** Also as whoever calls the API writes it. What is wrong with it the server says. */
function innerOf(document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { alert } = document;
  return typeof alert === 'object' && alert !== null ? (alert as Record<string, unknown>) : document;
}

function createUpdateCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('update'), 'the fields to change, as JSON')
    .description('change what is given of an alert')
    .argument('<id>', 'as `alerts list` shows it')
    .option(
      '--mask <fields>',
      'which fields; those that are not given are cleared. All that are given without it',
    )
    .addHelpText('after', example(`alerts update 2f5c8a40-… --json '{"display_name": "late orders"}'`))
    .action(async (id: string, options: Options & DocumentOptions & { readonly mask?: string }) => {
      const fields = innerOf(await readDocument(context, options));
      const client = await connect(context, options);
      const { form } = await findAlert(client, id);
      const update_mask = options.mask ?? Object.keys(fields).join(',');
      const changed =
        form === 'text'
          ? await client.textAlertsUpdate({ ...(fields as TextAlertFields), id, update_mask })
          : await client.alertsUpdate({ id, alert: fields as AlertFields, update_mask });
      printDocument(context, options, changed, () => `alert ${id} was changed`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('move an alert to the trash; jobs that evaluate it fail')
    .argument('<id>', 'as `alerts list` shows it')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('alerts delete 2f5c8a40-…'))
    .action(async (id: string, options: ConnectionOptions & { readonly autoApprove?: boolean }) => {
      const client = await connect(context, options);
      const { form, document } = await findAlert(client, id);
      await approve(context, `Jobs that evaluate alert ${document.display_name} will fail.`, options);
      if (form === 'text') await client.textAlertsTrash({ id });
      else await client.alertsDelete({ id });
      print(context, `alert ${id} is in the trash`);
    });
  return addConnectionOptions(command);
}

function createEventsCommand(context: CliContext): Command {
  const command = new Command('events')
    .description('how the state of an alert has changed, newest first')
    .argument('<id>', 'as `alerts list` shows it')
    .addHelpText('after', example('alerts events 2f5c8a40-…'))
    .action(async (id: string, options: Options) => {
      const client = await connect(context, options);
      const listed = await client.alertEventsList({ id });
      printTable(context, options, listed, () => ({
        columns: ['at', 'from', 'to', 'value', 'told', 'task run'],
        rows: listed.events.map((event) => [
          formatInstant(event.at),
          event.from_state,
          event.to_state,
          event.message ?? JSON.stringify(event.value ?? null),
          event.is_due ? 'due' : '-',
          String(event.task_run_id),
        ]),
        empty: 'its state has not changed yet: `headrace alerts evaluate` finds it out',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createEvaluateCommand(context: CliContext): Command {
  const command = new Command('evaluate')
    .description('run the query of an alert now, in a run of its own; nobody is told')
    .argument('<id>', 'as `alerts list` shows it')
    .option('--warehouse <id>', 'where; else on its own warehouse, or the default one')
    .addHelpText('after', example('alerts evaluate 2f5c8a40-…'))
    .action(async (id: string, options: Options & { readonly warehouse?: string }) => {
      const client = await connect(context, options);
      const found = await findAlert(client, id);
      const runId = await submitEvaluation(client, found, options.warehouse);
      note(context, `run ${runId} evaluates alert ${found.document.display_name}`);
      await followRun(context, client, runId, options);
      if (options.output === 'table') print(context, stateOf(await findAlert(client, id)));
    });
  return addOutputOption(addConnectionOptions(command));
}

async function submitEvaluation(
  client: Client,
  { form, document }: FoundAlert,
  asked: string | undefined,
): Promise<number> {
  const warehouse_id = asked ?? (form === 'text' ? document.warehouse_id : undefined);
  const lifecycle: string = document.lifecycle_state;
  if (lifecycle !== 'ACTIVE')
    throw new CommandError(`alert ${document.display_name} is in the trash`, { exitCode: exitCodes.failed });
  const sql_task = {
    alert: { alert_id: document.id, pause_subscriptions: true },
    ...(warehouse_id === undefined ? {} : { warehouse_id }),
  };
  const { run_id } = await client.runsSubmit({
    run_name: `alert ${document.display_name}`,
    tasks: [{ task_key: 'evaluate', sql_task }],
  });
  return run_id;
}

/** What bundles cost a person who waits: validate, plan and deploy without changes, and the first deployment of many files. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@headrace/api';
import {
  checkBundle,
  deployBundle,
  formatProblem,
  loadBundle,
  planBundle,
  prepareBundle,
  type ResolvedBundle,
  readDeployment,
} from '@headrace/bundle';
import { parseDocument } from 'yaml';
import { files, jobs, tasksOfJob, writeFiles, writeJobs } from './bundle-folders.ts';
import { withInstalledServer } from './installed-server.ts';
import { inMs, median, printFigure, printRow, timed } from './statistics.ts';

const turns = 9;
const firstDeploys = 3;
const validateMax = 500;
const unchangedMax = 1_000;
const firstDeployMax = 5_000;

export function benchBundle(): Promise<void> {
  return withInstalledServer(async (server) => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-bench-bundle-'));
    try {
      await server.up();
      const { url } = await server.address();
      const client = await server.client();
      const { userName } = await client.currentUserMe({});
      await benchJobs(path.join(folder, 'jobs'), client, { host: url, userName });
      await benchFiles(folder, client, { host: url, userName });
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  });
}

interface Facts {
  readonly host: string;
  readonly userName: string;
}

async function benchJobs(folder: string, client: Client, facts: Facts): Promise<void> {
  await writeJobs(folder, 'bench');
  const texts = await readTexts(folder);
  const parses: number[] = [];
  const validates: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    parses.push(await timed(async () => texts.map((text) => parseDocument(text).toJS())));
    validates.push(await timed(() => validate(folder, facts)));
  }
  const size = `${jobs} jobs, ${jobs * tasksOfJob} tasks`;
  printRow(`their YAML parsed alone (${size})`, inMs(median(parses)), '');
  const parse = { value: median(parses), name: 'parsing the same YAML alone' };
  printFigure({
    what: 'validate',
    value: median(validates),
    target: validateMax,
    inUnits: inMs,
    floor: parse,
  });
  printRow('the first validate of a process', inMs(validates[0] ?? Number.NaN), '');

  printRow(`first deploy of ${size}`, inMs(await timed(() => deploy(folder, client, facts))), '');
  const plans: number[] = [];
  const deploys: number[] = [];
  const reads: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    reads.push(await timed(() => readJobs(client)));
    plans.push(await timed(async () => insistUnchanged(await plan(folder, client, facts))));
    deploys.push(await timed(() => deploy(folder, client, facts)));
  }
  printRow('the jobs read one after the other', inMs(median(reads)), '');
  const read = { value: median(reads), name: 'reading the jobs one after the other' };
  const unchanged = { target: unchangedMax, inUnits: inMs, floor: read };
  printFigure({ what: 'plan without changes', value: median(plans), ...unchanged });
  printFigure({ what: 'deploy without changes', value: median(deploys), ...unchanged });
}

/** Each turn has files of its own: nothing of them is on the server yet. */
async function benchFiles(parent: string, client: Client, facts: Facts): Promise<void> {
  const alone: number[] = [];
  const first: number[] = [];
  for (let turn = 0; turn < firstDeploys; turn++) {
    const folder = path.join(parent, `files-${turn}`);
    const written = await writeFiles(folder, `files_${turn}`);
    alone.push(await timed(() => importAll(folder, written, { client, to: `/Shared/bench-${turn}` })));
    first.push(await timed(() => deploy(folder, client, facts)));
  }
  printRow(`${files} files imported one by one`, inMs(median(alone)), '');
  const floor = { value: median(alone), name: 'importing the same files one by one' };
  const what = `first deploy of ${files} files`;
  printFigure({ what, value: median(first), target: firstDeployMax, inUnits: inMs, floor });
}

async function importAll(
  folder: string,
  written: readonly string[],
  { client, to }: { readonly client: Client; readonly to: string },
): Promise<void> {
  for (const place of new Set(written.map((file) => path.posix.dirname(file))))
    await client.workspaceMkdirs({ path: `${to}/${place}` });
  for (const file of written) {
    const content = (await fs.readFile(path.join(folder, file))).toString('base64');
    await client.workspaceImport({ path: `${to}/${file}`, content, format: 'AUTO' });
  }
}

async function readTexts(folder: string): Promise<string[]> {
  const names = await fs.readdir(path.join(folder, 'resources'));
  return Promise.all(names.map((name) => fs.readFile(path.join(folder, 'resources', name), 'utf8')));
}

async function readJobs(client: Client): Promise<void> {
  let pageToken = '';
  do {
    const page = await client.jobsList({
      limit: 100,
      ...(pageToken === '' ? {} : { page_token: pageToken }),
    });
    for (const { job_id } of page.jobs ?? []) await client.jobsGet({ job_id });
    pageToken = page.next_page_token ?? '';
  } while (pageToken !== '');
}

async function validate(folder: string, facts: Facts): Promise<ResolvedBundle> {
  const { bundle, problems } = checkBundle(await loadBundle(folder), { facts });
  const [error] = problems.filter(({ severity }) => severity === 'error');
  if (bundle === null || error !== undefined)
    throw new Error(error === undefined ? 'no bundle' : formatProblem(error));
  return bundle;
}

/** All that the command does but to start. */
async function plan(folder: string, client: Client, facts: Facts) {
  const bundle = await validate(folder, facts);
  const deployed = await readDeployment(bundle, client);
  return planBundle(await prepareBundle(bundle, deployed.state, { python: 'python3' }), deployed);
}

async function deploy(folder: string, client: Client, facts: Facts): Promise<void> {
  await deployBundle(await plan(folder, client, facts), client);
}

function insistUnchanged({ hasChanges }: { readonly hasChanges: boolean }): void {
  if (hasChanges) throw new Error('a plan without changes has found some');
}

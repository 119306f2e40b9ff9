/** How soon a warm warehouse answers: one client after the other, and ten at the same time. */
import type { Client } from '@headrace/api';
import { withInstalledServer } from './installed-server.ts';
import {
  inMs,
  measureFdatasync,
  median,
  percentile,
  printFigure,
  printRow,
  repeat,
  timed,
} from './statistics.ts';

const warmUps = 60;
const statements = 100;
const clients = 10;
const statementsOfEach = 50;
const aloneMsMax = 60;
const tailRatioMax = 10;

export function benchSql(): Promise<void> {
  return withInstalledServer(async (server) => {
    await server.up();
    const client = await server.client();
    printRow(
      'the first statement, its warehouse started for it',
      inMs(await timed(() => startWarehouse(client))),
      '',
    );
    await repeat(warmUps, () => timeStatement(client, 0));
    const commit = measureFdatasync();
    printRow('one fdatasync', inMs(commit), '');
    const alone = await repeat(statements, () => timeStatement(client, 1));
    const floor = { value: commit, name: 'an fdatasync' };
    printFigure({ what: '`select 1`, p50', value: median(alone), target: aloneMsMax, inUnits: inMs, floor });
    const together = await Promise.all(
      Array.from({ length: clients }, () =>
        repeat(statementsOfEach, () => timeStatement(client, Math.random())),
      ),
    );
    const all = together.flat();
    const middle = median(all);
    printRow(`${clients} clients × ${statementsOfEach} statements, p50`, inMs(middle), 'no error');
    const target = tailRatioMax * middle;
    printFigure({ what: 'the same, p95', value: percentile(all, 0.95), target, inUnits: inMs });
  });
}

/** Longer than a request may wait. */
async function startWarehouse(client: Client): Promise<void> {
  const { statement_id } = await client.statementsExecute({ statement: 'select 1', wait_timeout: '50s' });
  for (;;) {
    const { state } = (await client.statementsGet({ statement_id })).status;
    if (state === 'SUCCEEDED') return;
    if (state !== 'PENDING' && state !== 'RUNNING') throw new Error(`the first statement is ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function timeStatement(client: Client, value: number): Promise<number> {
  return timed(async () => {
    const { status } = await client.statementsExecute({ statement: `select ${value}`, wait_timeout: '50s' });
    if (status.state !== 'SUCCEEDED')
      throw new Error(`a statement is ${status.state}: ${status.error?.message}`);
  });
}

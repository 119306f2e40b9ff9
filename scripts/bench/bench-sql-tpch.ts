/** The 22 queries of TPC-H through a warehouse, each beside a bare Spark session with the same tables and conf. */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { type BareSpark, startBareSpark } from './bare-spark.ts';
import { withInstalledServer } from './installed-server.ts';
import { runSparkScript } from './spark-scripts.ts';
import { asRatio, inMs, median, printFigure, printRow } from './statistics.ts';
import { makeTpchFiles, readTpchQueries, tpchTables } from './tpch-data.ts';

const scale = 0.1;
const schema = 'main.tpch';
const warmUps = 1;
const rounds = 3;
const ratioMax = 1.1;

export function benchSqlTpch(): Promise<void> {
  return withInstalledServer(async (server) => {
    await server.up();
    // Below the server's, which goes also after a Ctrl-C.
    const folder = path.join(server.stateDir, 'tpch');
    await fs.mkdir(folder);
    makeTpchFiles(folder, scale);
    const client = await server.client();
    const places = await makeTables(client, folder);
    const warehouse = await openWarehouse(client);
    const bare = await startBareSpark({ folder, conf: await warehouse.readConf(), tables: places });
    try {
      await compare(warehouse, bare);
    } finally {
      await bare.stop();
    }
  });
}

/** Where each table is, by its name. */
async function makeTables(client: Client, folder: string): Promise<Record<string, string>> {
  const parameters = [schema, folder, ...tpchTables];
  return (await runSparkScript(client, { name: 'tpch', text: loadScript, parameters })) as Record<
    string,
    string
  >;
}

const loadScript = `
schema, folder, *tables = sys.argv[1:]
spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
places = {}
for table in tables:
    spark.read.parquet(f"file:{folder}/{table}.parquet").write.saveAsTable(f"{schema}.{table}")
    places[table] = spark.sql(f"DESCRIBE DETAIL {schema}.{table}").collect()[0].location
tell(places)
`;

interface Warehouse {
  /** Milliseconds until the client has all rows, and how many those are. */
  run(statement: string): Promise<{ readonly ms: number; readonly rows: number }>;
  readConf(): Promise<ReadonlyMap<string, string>>;
}

async function openWarehouse(client: Client): Promise<Warehouse> {
  const [catalog, name] = schema.split('.');
  const { session_id } = await client.sqlSessionsCreate({ catalog, schema: name });
  const execute = async (statement: string) => {
    let document = await client.statementsExecute({ statement, session_id, wait_timeout: '50s' });
    while (['PENDING', 'RUNNING'].includes(document.status.state)) {
      document = await client.statementsGet({ statement_id: document.statement_id });
    }
    if (document.status.state !== 'SUCCEEDED')
      throw new Error(`${statement}: ${JSON.stringify(document.status)}`);
    const rows = [...(document.result?.data_array ?? [])];
    for (let next = document.result?.next_chunk_index; next !== undefined; ) {
      const chunk = await client.statementsResultChunk({
        statement_id: document.statement_id,
        chunk_index: next,
      });
      rows.push(...(chunk.data_array ?? []));
      next = chunk.next_chunk_index;
    }
    return rows;
  };
  return {
    async run(statement) {
      const startedAt = performance.now();
      const rows = await execute(statement);
      return { ms: performance.now() - startedAt, rows: rows.length };
    },
    async readConf() {
      const rows = await execute('SET');
      return new Map(rows.map(([name = '', value = '']) => [name ?? '', value ?? '']));
    },
  };
}

async function compare(warehouse: Warehouse, bare: BareSpark): Promise<void> {
  const times = new Map([...readTpchQueries().keys()].map((name) => [name, newTimes()]));
  for (let round = 0; round < warmUps + rounds; round++) {
    let turn = round;
    const sums = { ours: 0, theirs: 0 };
    for (const [name, statement] of readTpchQueries()) {
      const isFirst = turn++ % 2 === 0;
      const before = isFirst ? null : await bare.run(statement);
      const ours = await warehouse.run(statement);
      const theirs = before ?? (await bare.run(statement));
      if (ours.rows !== theirs.rows) throw new Error(`${name}: ${ours.rows} rows, not ${theirs.rows}`);
      sums.ours += ours.ms;
      sums.theirs += theirs.ms;
      if (round < warmUps) continue;
      times.get(name)?.ours.push(ours.ms);
      times.get(name)?.theirs.push(theirs.ms);
    }
    const kind = round < warmUps ? ' (to warm up)' : '';
    printRow(`round ${round + 1}${kind}: warehouse`, inMs(sums.ours), `bare ${inMs(sums.theirs)}`);
  }
  const sums = { ours: 0, theirs: 0 };
  for (const [name, { ours, theirs }] of times) {
    printRow(
      `${name}: warehouse`,
      inMs(median(ours)),
      `bare ${inMs(median(theirs))}, ${asRatio(ratioOf(ours, theirs))}`,
    );
    sums.ours += median(ours);
    sums.theirs += median(theirs);
  }
  printRow('all 22, bare Spark (medians added)', inMs(sums.theirs), '');
  printRow('all 22, warehouse', inMs(sums.ours), '');
  const ratio = { value: sums.ours / sums.theirs, target: ratioMax, inUnits: asRatio };
  printFigure({ what: 'warehouse against bare Spark', ...ratio });
  const ratios = [...times.values()].map(({ ours, theirs }) => ratioOf(ours, theirs));
  printRow('median of the 22 ratios', asRatio(median(ratios)), '');
}

const newTimes = (): { ours: number[]; theirs: number[] } => ({ ours: [], theirs: [] });

const ratioOf = (ours: readonly number[], theirs: readonly number[]) => median(ours) / median(theirs);

/** What names cost: a table's name against its path, and a schema of ten thousand tables. */
import type { Client } from '@headrace/api';
import { z } from 'zod';
import { withInstalledServer } from './installed-server.ts';
import { runSparkScript } from './spark-scripts.ts';
import { asRatio, inMs, median, percentile, printFigure, printRow, repeat, timed } from './statistics.ts';

const catalog = 'main';
const readTurns = 15;
const tables = 10_000;
const tableColumns = 20;
const registeredAtOnce = 16;
const lists = 9;
const lookUps = 300;
const overheadMax = 1.1;
const showMax = 1_000;
const lookUpMax = 20;

export function benchSqlCatalog(): Promise<void> {
  return withInstalledServer(async (server) => {
    await server.up();
    const client = await server.client();
    await benchReads(client);
    await benchManyTables(client);
  });
}

const Pairs = z.object({ name: z.array(z.number()), path: z.array(z.number()) });
const Reads = z.object({ fresh: Pairs, warm: Pairs });

async function benchReads(client: Client): Promise<void> {
  await client.schemasCreate({ catalog_name: catalog, name: 'bench_reads' });
  const parameters = [`${catalog}.bench_reads.t`, String(readTurns)];
  const reads = Reads.parse(await runSparkScript(client, { name: 'reads', text: readScript, parameters }));
  for (const [when, { name, path }] of Object.entries(reads)) {
    const what = when === 'fresh' ? 'a name not asked for lately' : 'a name just used';
    printRow(`Delta read by path (${when})`, inMs(median(path)), '');
    printRow(`the same by ${what}`, inMs(median(name)), '');
    printFigure({
      what: `name against path (${when})`,
      value: median(name.map((nameMs, turn) => nameMs / (path[turn] ?? Number.NaN))),
      target: overheadMax,
      inUnits: asRatio,
    });
  }
}

/** By turns which comes first. A name is remembered for a second (CatalogApi): only after that is the server asked again. */
const readScript = `
name, turns = sys.argv[1], int(sys.argv[2])
spark.range(0, 200_000, 1, 2).selectExpr("id", "id % 97 AS k", "cast(id as string) AS s").write.saveAsTable(name)
location = spark.sql(f"DESCRIBE DETAIL {name}").collect()[0].location
texts = {"name": f"SELECT k, count(*), max(s) FROM {name} GROUP BY k",
         "path": f"SELECT k, count(*), max(s) FROM delta.\`{location}\` GROUP BY k"}
found = {}
for when, pause in (("warm-up", 0), ("fresh", 1.05), ("warm", 0)):
    found[when] = {"name": [], "path": []}
    for turn in range(turns):
        time.sleep(pause)
        for kind in sorted(texts, reverse=turn % 2 == 1):
            found[when][kind].append(timed(lambda: spark.sql(texts[kind]).collect()))
del found["warm-up"]
tell(found)
`;

const Many = z.object({
  show: z.array(z.number()),
  list: z.array(z.number()),
  rows: z.array(z.number()),
  find: z.array(z.number()),
  describe: z.array(z.number()),
});

async function benchManyTables(client: Client): Promise<void> {
  const schema = 'bench_many';
  await client.schemasCreate({ catalog_name: catalog, name: schema });
  const source = `${catalog}.bench_reads.wide`;
  const columns = String(tableColumns);
  await runSparkScript(client, { name: 'wide', text: wideScript, parameters: [source, columns] });
  const registeredMs = await timed(() => registerTables(client, schema, source));
  printRow(`${tables} tables registered`, inMs(registeredMs), `${inMs(registeredMs / tables)} each`);
  const gets = await repeat(lookUps, () => timed(() => client.tablesGet({ full_name: nameOf(schema) })));
  const brief = { catalog_name: catalog, schema_name: schema, omit_columns: true, omit_properties: true };
  const listed = await repeat(lists, () => timed(() => listAll(client, brief)));
  const parameters = [catalog, schema, String(tables), String(lists)];
  const many = Many.parse(await runSparkScript(client, { name: 'many', text: manyScript, parameters }));

  printFigure({ what: 'look-up of one over HTTP', value: median(gets), target: lookUpMax, inUnits: inMs });
  printRow('the slowest of twenty', inMs(percentile(gets, 0.95)), '');
  const found = { what: 'look-up of one by the plug-in', value: median(many.find) };
  printFigure({ ...found, target: lookUpMax, inUnits: inMs });
  printRow('DESCRIBE TABLE of one, the whole statement', inMs(median(many.describe)), '');
  printRow('names of all over HTTP', inMs(median(listed)), '');
  printRow('names of all by the plug-in', inMs(median(many.list)), '');
  const floor = { value: median(many.rows), name: 'collecting as many rows' };
  printRow('as many rows of three columns, collected', inMs(floor.value), '');
  const show = { what: `SHOW TABLES of ${tables} in Spark`, value: median(many.show) };
  printFigure({ ...show, target: showMax, inUnits: inMs, floor });
  printRow('the same, the first time', inMs(many.show[0] ?? Number.NaN), '');
}

/** All are the same table, so that each can be opened, and what the catalog says of it is true. */
async function registerTables(client: Client, schema: string, source: string): Promise<void> {
  const { columns, headrace, properties, storage_location } = await client.tablesGet({ full_name: source });
  const kind = { table_type: 'EXTERNAL' as const, data_source_format: 'DELTA' };
  const named = { catalog_name: catalog, schema_name: schema };
  let next = 0;
  const register = async () => {
    while (next < tables) {
      const name = `t${next++}`;
      await client.tablesCreate({ ...named, name, ...kind, columns, headrace, properties, storage_location });
    }
  };
  await Promise.all(Array.from({ length: registeredAtOnce }, register));
}

async function listAll(client: Client, request: Parameters<Client['tablesList']>[0]): Promise<void> {
  let found = 0;
  let page_token = '';
  do {
    const page = await client.tablesList({ ...request, page_token });
    found += page.tables?.length ?? 0;
    page_token = page.next_page_token ?? '';
  } while (page_token !== '');
  if (found !== tables) throw new Error(`${found} of ${tables} tables are listed`);
}

const nameOf = (schema: string) => `${catalog}.${schema}.t${Math.floor(Math.random() * tables)}`;

const wideScript = `
name, columns = sys.argv[1], int(sys.argv[2])
fields = ", ".join(f"column_{index} BIGINT" for index in range(columns))
spark.sql(f"CREATE TABLE {name} ({fields}) USING delta LOCATION 'dbfs:/bench/wide'")
tell(None)
`;

/** Each look-up is of another table, so none is remembered. */
const manyScript = `
catalog, schema, tables, lists = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
session = spark._jsparkSession
plugin = session.sessionState().catalogManager().catalog(catalog)
jvm = spark._jvm

def find(index):
    name = jvm.org.apache.spark.sql.connector.catalog.Identifier.of(namespace, f"t{index % tables}")
    took = timed(lambda: found.append(plugin.tableExists(name)))
    assert found[-1]
    return took

found = []
namespace = spark.sparkContext._gateway.new_array(jvm.java.lang.String, 1)
namespace[0] = schema
text = f"SHOW TABLES IN {catalog}.{schema}"
floor = f"SELECT 's' AS namespace, 't' || id AS tableName, false AS isTemporary FROM range(0, {tables}, 1, 1)"
show, list_ms, rows = [], [], []
for _ in range(lists):
    show.append(timed(lambda: spark.sql(text).collect()))
    list_ms.append(timed(lambda: plugin.listTables(namespace)))
    rows.append(timed(lambda: spark.sql(floor).collect()))
assert spark.sql(text).count() == tables
found_ms = [find(index * 7919) for index in range(120)][20:]
names = [f"{catalog}.{schema}.t{(index * 104729 + 1) % tables}" for index in range(30)]
describe = [timed(lambda: spark.sql(f"DESCRIBE TABLE {name}").collect()) for name in names]
tell({"show": show, "list": list_ms, "rows": rows, "find": found_ms, "describe": describe})
`;

/**
 * What the catalog says of a Delta table follows the table's log. The plug-in writes it after each commit, and again when it
 * next loads the table; a process that is killed between a commit and that write, or that could not reach a server, leaves
 * the catalog behind until then. So whoever asks here is told what the log says.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Services } from '../services.ts';
import { LoggedField, toColumns } from './log-columns.ts';
import { followTable, type TableRow } from './table-store.ts';

/** Who commits has loaded the table before, which repaired what came earlier: only the last can be unknown. */
const commitsLookedAt = 3;
/** Metadata stand before the files of a commit. */
const commitBytesMax = 4 * 1024 ** 2;
const commitName = /^\d{20}\.json$/;

/** As the plug-in has them: bookkeeping that says nothing to a reader. */
const hiddenPrefixes = ['delta.columnMapping.maxColumnId', 'delta.rowTracking.materialized'];
const highWaterMark = 'delta.identity.highWaterMark';

const Metadata = z.looseObject({
  schemaString: z.string(),
  partitionColumns: z.array(z.string()).default([]),
  configuration: z.record(z.string(), z.string()).default({}),
  description: z.string().nullish(),
});
type Metadata = z.infer<typeof Metadata>;
const Commit = z.looseObject({ metaData: Metadata });
const Schema = z.looseObject({ type: z.literal('struct'), fields: z.array(LoggedField) });

type FollowServices = Pick<Services, 'db' | 'log'>;

/** The row, brought up to date where its log has gone on. One that cannot be read stays as it is. */
export async function followLog({ db, log }: FollowServices, row: TableRow): Promise<TableRow> {
  const folder = localFolder(row);
  if (folder === null) return row;
  try {
    const metadata = await readLastMetadata(path.join(folder, '_delta_log'));
    if (metadata === null) return row;
    const facts = toFacts(metadata);
    if (facts.headrace.metadata_digest === row.headrace.metadata_digest) return row;
    // Another one may have told the catalog meanwhile; then that stands.
    await followTable(db, row, facts);
    return { ...row, ...facts };
  } catch (err) {
    // Registered before it is written, by another tool.
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return row;
    log.warn({ err, table: `${row.catalog}.${row.schema}.${row.name}` }, 'the log of a table cannot be read');
    return row;
  }
}

function localFolder({ dataSourceFormat, storageLocation }: TableRow): string | null {
  if (dataSourceFormat?.toUpperCase() !== 'DELTA' || storageLocation === null) return null;
  const local = storageLocation.replace(/^file:(\/\/(?=\/))?/, '');
  return local.startsWith('/') ? local : null;
}

async function readLastMetadata(folder: string): Promise<Metadata | null> {
  const names = (await fs.readdir(folder)).filter((name) => commitName.test(name)).sort();
  for (const name of names.slice(-commitsLookedAt).reverse()) {
    const line = (await readStart(path.join(folder, name)))
      .split('\n')
      .find((each) => each.startsWith('{"metaData"'));
    if (line !== undefined) return Commit.parse(JSON.parse(line)).metaData;
  }
  return null;
}

async function readStart(file: string): Promise<string> {
  // A link could lead to what the table's owner may not read, and a pipe would be waited for.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const handle = await fs.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) return '';
    const { size } = found;
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.min(size, commitBytesMax)) });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

export type LogFacts = Pick<TableRow, 'columns' | 'properties' | 'comment' | 'headrace'>;

export function toFacts(metadata: Metadata): LogFacts {
  const { partitionColumns, configuration, description } = metadata;
  const schemaJson = withoutHighWaterMarks(metadata.schemaString);
  const shown = Object.entries(configuration)
    .filter(([key]) => !hiddenPrefixes.some((prefix) => key.startsWith(prefix)))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const comment = description ?? '';
  // The digest of the plug-in (TableDocuments.digest): by it each knows whether the other has been here.
  const parts = [
    schemaJson,
    partitionColumns.join('\u0000'),
    shown.map(([key, value]) => `(${key},${value})`).join('\u0000'),
    comment,
  ];
  const digest = crypto.createHash('sha256').update(parts.join('\u0001')).digest('hex').slice(0, 24);
  return {
    columns: toColumns(Schema.parse(JSON.parse(schemaJson)).fields, partitionColumns),
    properties: Object.fromEntries(shown),
    comment,
    headrace: { schema_json: schemaJson, metadata_digest: digest },
  };
}

/** They move with every INSERT, and the catalog does not follow them. */
function withoutHighWaterMarks(schemaString: string): string {
  if (!schemaString.includes(highWaterMark)) return schemaString;
  return JSON.stringify(
    JSON.parse(schemaString, (key, value: unknown) => (key === highWaterMark ? undefined : value)),
  );
}

/** Delta's log as its files say it, read without Spark: what the catalog must agree with. */
import fs from 'node:fs';
import path from 'node:path';

const commitName = /^\d{20}\.json$/;

/** Of all tables below a folder, the paths of their commits. */
export function findCommits(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((table) => {
    const log = path.join(folder, table, '_delta_log');
    return listOrNothing(log)
      .filter((name) => commitName.test(name))
      .map((name) => path.join(log, name));
  });
}

export interface LoggedTable {
  readonly fields: readonly unknown[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Of a table with so few commits that no checkpoint hides one. */
export function readLoggedTable(location: string): LoggedTable {
  const log = path.join(location, '_delta_log');
  const commits = listOrNothing(log).filter((name) => commitName.test(name));
  const lines = commits.sort().flatMap((name) => fs.readFileSync(path.join(log, name), 'utf8').split('\n'));
  const metadata = lines
    .filter((line) => line.startsWith('{"metaData"'))
    .map((line) => (JSON.parse(line) as { metaData: LoggedMetadata }).metaData)
    .at(-1);
  if (!metadata) throw new Error(`no metadata in the log of ${location}`);
  const { fields } = JSON.parse(metadata.schemaString) as { fields: unknown[] };
  return { fields, properties: metadata.configuration };
}

interface LoggedMetadata {
  readonly schemaString: string;
  readonly configuration: Readonly<Record<string, string>>;
}

function listOrNothing(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return []; // Not made yet, or gone by now.
  }
}

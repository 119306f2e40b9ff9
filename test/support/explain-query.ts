/** What PostgreSQL would do for the query of a store's function. */
import type { NamedQuery, Querier } from '../../packages/server/src/db/connect.ts';
import type { TestDatabase } from './database.ts';

/** The plan of the first query that it makes, which is not run. */
export async function explainQuery(db: TestDatabase, call: (db: Querier) => unknown): Promise<string> {
  const asked: NamedQuery[] = [];
  await call({
    async query(query: NamedQuery) {
      asked.push(query);
      return [];
    },
  } as Querier);
  const [query] = asked;
  if (query === undefined) throw new Error('no query was made');
  const { rows } = await db.pool.query(`explain ${query.text}`, [...query.values]);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

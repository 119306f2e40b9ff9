import type pg from 'pg';
import { type Querier, queryNamed } from './connect.ts';

export async function runTransaction<T>(pool: pg.Pool, work: (client: Querier) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that dies between two statements reports here; the next statement fails by itself.
  const noteError = (error: Error) => {
    broken = error;
  };
  client.on('error', noteError);
  try {
    await client.query('begin');
    const result = await work({ query: (query) => queryNamed(client, query) });
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.off('error', noteError);
    client.release(broken);
  }
}

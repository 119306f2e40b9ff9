/** Counts the statements that this process sends to PostgreSQL, by name: noise cannot move counts. */
import pg from 'pg';

export interface StatementCounts {
  /** Of all names that begin so. */
  count(prefix: string): number;
  reset(): void;
}

/** Before the first connection is made. */
export function countStatements(): StatementCounts {
  const counts = new Map<string, number>();
  // The driver has no hook for this; nothing but benchmarks does it.
  const prototype = pg.Client.prototype as unknown as { query(...args: unknown[]): unknown };
  const send = prototype.query;
  prototype.query = function count(this: unknown, ...args: unknown[]) {
    const [query] = args as [{ readonly name?: string } | string];
    const name = typeof query === 'object' ? (query.name ?? 'unnamed') : 'unnamed';
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return send.apply(this, args);
  };
  return {
    count(prefix) {
      let sum = 0;
      for (const [name, count] of counts) if (name.startsWith(prefix)) sum += count;
      return sum;
    },
    reset: () => counts.clear(),
  };
}

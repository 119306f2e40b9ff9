/** Lists of runs, by many filters. Each is answered from an index, newest first, however many runs there are. */
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from '../db/connect.ts';
import type { Document, RunParameters, RunType } from './run-facts.ts';
import type { RunRow } from './run-rows.ts';
import type { RunView } from './store.ts';

export interface RunsFilter {
  readonly jobId: number | null;
  readonly phase: 'active' | 'completed' | null;
  readonly runType: RunType | null;
  readonly createdFromMs: number | null;
  readonly createdToMs: number | null;
  /** The row next to which the page begins: older ones follow, or newer ones go before. */
  readonly beside: {
    readonly createdAtMs: number;
    readonly id: number;
    readonly direction: 'older' | 'newer';
  } | null;
  readonly offset: number;
  readonly limit: number;
  /** They are large, and only documents with tasks need them. */
  readonly withSettings: boolean;
}

interface RunsTables {
  readonly runs: RunRow & { readonly deleted_at_ms: number | null };
  readonly run_generations: {
    run_id: number;
    generation: number;
    created_at_ms: number;
    settings: Document;
    parameters: RunParameters;
  };
}

/** Newest first; of newer ones those that are next to where the page begins. */
export async function listRunViews(db: Database, filter: RunsFilter): Promise<RunView[]> {
  const kysely = db.kysely as unknown as Kysely<RunsTables>;
  const order = filter.beside?.direction === 'newer' ? 'asc' : 'desc';
  const page = addFilters(kysely.selectFrom('runs as r').selectAll('r'), filter)
    .orderBy('r.created_at_ms', order)
    .orderBy('r.run_id', order)
    .limit(filter.limit)
    .offset(filter.offset);
  // The page first, then its documents: settings are large and kept apart from the rows that are searched.
  const rows = await kysely
    .with('page', () => page)
    .selectFrom('page')
    .innerJoin('run_generations as g', (join) =>
      join.onRef('g.run_id', '=', 'page.run_id').onRef('g.generation', '=', 'page.generation'),
    )
    .selectAll('page')
    .select(['g.parameters', 'g.created_at_ms as generation_created_at_ms'])
    .select(filter.withSettings ? 'g.settings' : sql<Document>`'{}'::jsonb`.as('settings'))
    .orderBy('page.created_at_ms', 'desc')
    .orderBy('page.run_id', 'desc')
    .execute();
  return rows;
}

function addFilters<Row>(
  runs: SelectQueryBuilder<RunsTables & { r: RunsTables['runs'] }, 'r', Row>,
  filter: RunsFilter,
) {
  let page = runs.where('r.deleted_at_ms', 'is', null);
  if (filter.jobId !== null) page = page.where('r.job_id', '=', filter.jobId);
  // As a literal: a plan with a parameter here could not use the index of ended runs.
  if (filter.phase === 'completed') page = page.where('r.phase', '=', sql.lit('ended'));
  if (filter.phase === 'active') page = page.where('r.phase', '<>', sql.lit('ended'));
  if (filter.runType !== null) page = page.where('r.run_type', '=', filter.runType);
  else page = page.where('r.run_type', '<>', sql.lit('SQL_ENDPOINT'));
  if (filter.createdFromMs !== null) page = page.where('r.created_at_ms', '>=', filter.createdFromMs);
  if (filter.createdToMs !== null) page = page.where('r.created_at_ms', '<=', filter.createdToMs);
  if (filter.beside) {
    const { createdAtMs, id, direction } = filter.beside;
    const comparison = sql.raw(direction === 'newer' ? '>' : '<');
    page = page.where(
      sql<boolean>`(r.created_at_ms, r.run_id) ${comparison} (${createdAtMs}::bigint, ${id}::bigint)`,
    );
  }
  return page;
}

import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { queries } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { Loading, Problem } from '../../ui/Problem.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { RunsTable } from './RunsTable.tsx';

const filters = [
  { show: undefined, label: 'All' },
  { show: 'active', label: 'Active' },
  { show: 'completed', label: 'Ended' },
] as const;

export function RunsPage() {
  useTitle('Runs');
  const [search] = useSearchParams();
  const show = filters.find((each) => each.show === (search.get('show') ?? undefined))?.show;
  const jobId = search.has('job_id') ? Number(search.get('job_id')) : undefined;
  const runs = useQuery(queries.runs({ jobId, show, pageToken: search.get('page') ?? '' }));
  return (
    <>
      <h1>Runs</h1>
      <nav aria-label="Filter" className="filters">
        {filters.map((filter) => (
          <Link
            key={filter.label}
            to={paths.runs({ jobId, show: filter.show })}
            aria-current={filter.show === show ? 'true' : undefined}
          >
            {filter.label}
          </Link>
        ))}
      </nav>
      {runs.isPending && <Loading what="runs" />}
      {runs.error && <Problem error={runs.error} what="runs" />}
      {runs.data && (
        <RunsTable runs={runs.data.runs ?? []} more={nextPage(search, runs.data.next_page_token)} />
      )}
    </>
  );
}

function nextPage(search: URLSearchParams, token: string | undefined): string | null {
  if (!token) return null;
  const next = new URLSearchParams(search);
  next.set('page', token);
  return `/runs?${next}`;
}

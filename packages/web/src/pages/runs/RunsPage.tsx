import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { queries } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { Missing } from '../../ui/Problem.tsx';
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
  const page = search.get('page');
  const runs = useQuery(queries.runs({ jobId, show, pageToken: page ?? '' }));
  const older = runs.data?.next_page_token;
  return (
    <>
      <h1>Runs{jobId !== undefined && <JobName jobId={jobId} />}</h1>
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
      {runs.data ? (
        <RunsTable
          runs={runs.data.runs ?? []}
          newest={page ? paths.runs({ jobId, show }) : null}
          older={older ? paths.runs({ jobId, show, page: older }) : null}
        />
      ) : (
        <Missing error={runs.error} what="runs" />
      )}
    </>
  );
}

function JobName({ jobId }: { jobId: number }) {
  const job = useQuery(queries.job(jobId));
  return (
    <>
      {' of '}
      <Link to={paths.job(jobId)}>{job.data?.settings.name ?? `job ${jobId}`}</Link>
    </>
  );
}

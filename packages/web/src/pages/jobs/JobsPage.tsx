import type { JobDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { queries } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { outcomeOf } from '../../ui/outcome.ts';
import { Missing } from '../../ui/Problem.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { RunNowButton } from './RunNowButton.tsx';
import { scheduleText } from './schedule-text.ts';

const recentRuns = 5;

export function JobsPage() {
  useTitle('Jobs');
  const [search] = useSearchParams();
  const jobs = useQuery(queries.jobs(search.get('page') ?? ''));
  if (!jobs.data) return <Missing error={jobs.error} what="jobs" />;
  const { jobs: rows = [], next_page_token: next } = jobs.data;
  return (
    <>
      <h1>Jobs</h1>
      {rows.length === 0 ? <NoJobs /> : <JobsTable jobs={rows} />}
      {next && (
        <nav aria-label="Pages" className="pages">
          <Link to={paths.jobs({ page: next })}>Older jobs</Link>
        </nav>
      )}
    </>
  );
}

function NoJobs() {
  return (
    <section className="empty">
      <p>No jobs yet. Deploy a bundle to get the first one:</p>
      <pre>headrace bundle deploy -t dev</pre>
    </section>
  );
}

function JobsTable({ jobs }: { jobs: readonly JobDocument[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Recent runs</th>
          <th scope="col">Schedule</th>
          <th scope="col">Owner</th>
          <th scope="col">
            <span className="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.job_id}>
            <th scope="row">
              <Link to={paths.job(job.job_id)}>{job.settings?.name ?? `Job ${job.job_id}`}</Link>
            </th>
            <td>
              <RecentRuns jobId={job.job_id} />
            </td>
            <td>{scheduleText(job.settings) ?? <span className="dim">none</span>}</td>
            <td>{job.creator_user_name}</td>
            <td className="actions">
              <RunNowButton jobId={job.job_id} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Newest last, as one reads time. */
function RecentRuns({ jobId }: { jobId: number }) {
  const runs = useQuery(queries.recentRuns(jobId, recentRuns));
  const rows = [...(runs.data?.runs ?? [])].reverse();
  if (rows.length === 0) return <span className="dim">{runs.isPending ? '…' : 'never ran'}</span>;
  return (
    <span className="dots">
      {rows.map((run) => {
        const { label, sign, tone } = outcomeOf(run.state);
        return (
          <Link
            key={run.run_id}
            to={paths.run(run.run_id)}
            className={`dot tone-${tone}`}
            title={label}
            aria-label={`Run ${run.run_id}: ${label}`}
          >
            {sign}
          </Link>
        );
      })}
    </span>
  );
}

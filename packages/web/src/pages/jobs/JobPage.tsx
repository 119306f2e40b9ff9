import type { JobDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router';
import { queries } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { Fact } from '../../ui/Fact.tsx';
import { Missing, NotFound } from '../../ui/Problem.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { RunsTable } from '../runs/RunsTable.tsx';
import { RunNowButton } from './RunNowButton.tsx';
import { scheduleText } from './schedule-text.ts';

export function JobPage() {
  const jobId = Number(useParams().jobId);
  const job = useQuery({ ...queries.job(jobId), enabled: Number.isSafeInteger(jobId) });
  const name = job.data?.settings?.name ?? `Job ${jobId}`;
  useTitle(name);
  if (!Number.isSafeInteger(jobId)) return <NotFound what="job" />;
  if (!job.data) return <Missing error={job.error} what="job" />;
  return (
    <>
      <h1>{name}</h1>
      {job.data.settings.description && <p className="dim">{job.data.settings.description}</p>}
      <Facts job={job.data} />
      <RunWithParameters job={job.data} />
      <h2>Runs</h2>
      <JobRuns jobId={jobId} />
      <h2>Settings</h2>
      <details>
        <summary>The job as it is stored</summary>
        <pre className="code">{JSON.stringify(job.data.settings, null, 2)}</pre>
      </details>
    </>
  );
}

function Facts({ job }: { job: JobDocument }) {
  const { settings } = job;
  return (
    <dl className="facts">
      <Fact name="Job id">{job.job_id}</Fact>
      <Fact name="Owner">{job.creator_user_name}</Fact>
      <Fact name="Tasks">{settings.tasks?.length ?? 0}</Fact>
      <Fact name="Schedule">{scheduleText(settings) ?? 'none'}</Fact>
    </dl>
  );
}

/** The job's parameters, each with its default, for one run. */
function RunWithParameters({ job }: { job: JobDocument }) {
  const definitions = job.settings?.parameters ?? [];
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  return (
    <form className="parameters" onSubmit={(event) => event.preventDefault()}>
      {definitions.map(({ name, default: fallback }) => (
        <label key={name}>
          {name}
          <input
            value={values[name] ?? fallback}
            onChange={(event) => setValues({ ...values, [name]: event.target.value })}
          />
        </label>
      ))}
      <RunNowButton jobId={job.job_id} parameters={values} />
    </form>
  );
}

function JobRuns({ jobId }: { jobId: number }) {
  const runs = useQuery(queries.runs({ jobId }));
  if (!runs.data) return <Missing error={runs.error} what="runs" />;
  return <RunsTable runs={runs.data.runs ?? []} older={runs.data.has_more ? paths.runs({ jobId }) : null} />;
}

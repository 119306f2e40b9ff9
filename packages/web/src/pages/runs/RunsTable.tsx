import type { RunDocument } from '@headrace/api';
import { Link } from 'react-router';
import { paths } from '../../paths.ts';
import { Ago, Elapsed } from '../../ui/Moment.tsx';
import { StateBadge } from '../../ui/StateBadge.tsx';

export function RunsTable(props: {
  readonly runs: readonly RunDocument[];
  /** Where the newest ones are, when these are not. */
  readonly newest?: string | null;
  readonly older: string | null;
}) {
  const { runs, newest, older } = props;
  if (runs.length === 0) return <p className="dim">No runs here yet. “Run now” on a job starts one.</p>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col">Started</th>
            <th scope="col">Duration</th>
            <th scope="col">Started by</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.run_id}>
              <th scope="row">
                <Link to={paths.run(run.run_id)}>{run.run_name}</Link>{' '}
                <span className="dim">{run.run_id}</span>
              </th>
              <td>
                <StateBadge state={run.state} />
              </td>
              <td>
                <Ago epochMs={run.start_time} />
              </td>
              <td>
                <Elapsed startMs={run.start_time} endMs={run.end_time} />
              </td>
              <td>
                {run.trigger === 'ONE_TIME'
                  ? run.creator_user_name
                  : run.trigger.toLowerCase().replaceAll('_', ' ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {(newest || older) && (
        <nav aria-label="Pages" className="pages">
          {newest && <Link to={newest}>Newest runs</Link>}
          {older && <Link to={older}>Older runs</Link>}
        </nav>
      )}
    </>
  );
}

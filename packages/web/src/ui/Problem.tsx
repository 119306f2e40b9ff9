/** What stands in the place of content that is not there, with the next step. */
import { Link } from 'react-router';
import { problemOf } from '../api/client.ts';
import { paths } from '../paths.ts';
import { useTitle } from './use-title.ts';

export function SignedOut() {
  useTitle('Signed out');
  return (
    <section className="empty">
      <h1>You are signed out</h1>
      <p>
        <code>headrace up</code> prints a sign-in link when it starts. For a new one, run{' '}
        <code>headrace status</code> on the machine of the server and open the link that it shows.
      </p>
    </section>
  );
}

export function NotFound({ what }: { what: string }) {
  useTitle('Not found');
  return (
    <section className="empty">
      <h1>There is no such {what}</h1>
      <p>
        It may have been deleted. <Link to={paths.jobs()}>See all jobs</Link>
      </p>
    </section>
  );
}

export function Problem({ error, what }: { error: unknown; what: string }) {
  const problem = problemOf(error);
  if (problem === 'not_found') return <NotFound what={what} />;
  return (
    <div role="alert" className="problem">
      <strong>The {what} could not be loaded.</strong>{' '}
      {error instanceof Error ? error.message : String(error)}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div className="loading" role="status">
      Loading the {what} …
    </div>
  );
}

/** What stands in the place of content that is not there, with the next step. */
import { Link, useRouteError } from 'react-router';
import { problemOf } from '../api/client.ts';
import { paths } from '../paths.ts';
import { isPassing } from './outage.ts';
import { useOutage } from './outage-context.ts';
import { useTitle } from './use-title.ts';

export function SignedOut() {
  useTitle('Signed out');
  return (
    <section className="empty">
      <h1>You are signed out</h1>
      <p>A sign-in link opens Headrace in this browser. It works once; on the machine of the server, run</p>
      <pre>headrace sign-in</pre>
      <p>and open the link that it prints.</p>
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

/** In the place of what has not come: yet, or for a reason. What came once stays while the server is away. */
export function Missing({ error, what }: { error: unknown; what: string }) {
  const outage = useOutage();
  // The one notice says that the server is away, and what happens next.
  if (error === null || (outage && isPassing(error))) return <Loading what={what} />;
  const problem = problemOf(error);
  if (problem === 'not_found') return <NotFound what={what} />;
  if (problem === 'signed_out') return <SignedOut />;
  return (
    <div role="alert" className="problem">
      <strong>The {what} could not be loaded.</strong>{' '}
      {error instanceof Error ? error.message : String(error)}
    </div>
  );
}

/** A page that broke, or whose code could not be fetched: after an update of the server it has another name. */
export function PageProblem() {
  const error = useRouteError();
  return (
    <div role="alert" className="problem">
      <strong>This page could not be shown.</strong> {error instanceof Error ? error.message : String(error)}{' '}
      <button type="button" onClick={() => window.location.reload()}>
        Load it again
      </button>
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

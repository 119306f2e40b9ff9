/** The frame of every page: where one is, who one is, and whether the server can be heard. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { NavLink, Outlet } from 'react-router';
import { client, problemOf, queryClient } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { paths } from '../paths.ts';
import { OutageNotice } from './OutageNotice.tsx';
import { findOutage, type Outage } from './outage.ts';
import { OutageContext } from './outage-context.ts';
import { SignedOut } from './Problem.tsx';

export function Layout() {
  const me = useQuery(queries.me());
  const outage = useServerOutage();
  const isSignedOut = me.error !== null && problemOf(me.error) === 'signed_out';
  return (
    <OutageContext value={outage}>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="topbar">
        <NavLink to="/" className="brand" aria-label="Headrace, home">
          <img src="/favicon.svg" alt="" width="22" height="22" /> Headrace
        </NavLink>
        <nav aria-label="Main">
          <NavLink to={paths.jobs()}>Jobs</NavLink>
          <NavLink to={paths.runs()}>Runs</NavLink>
        </nav>
        {me.data && (
          <div className="account">
            <span>{me.data.userName}</span>
            <button type="button" className="quiet" onClick={() => signOut()}>
              Sign out
            </button>
          </div>
        )}
      </header>
      {outage && <OutageNotice outage={outage} />}
      <main id="content">{isSignedOut ? <SignedOut /> : <Outlet />}</main>
    </OutageContext>
  );
}

/** When it is over, what could not be read meanwhile is read; what polls or follows goes on by itself. */
function useServerOutage(): Outage | null {
  const { error, dataUpdatedAt } = useQuery(queries.ready());
  const outage = useMemo(
    () => findOutage({ error, dataUpdatedAt }, performance.timeOrigin),
    [error, dataUpdatedAt],
  );
  const isAway = outage !== null;
  useEffect(() => {
    if (isAway) return;
    void queryClient.refetchQueries({ predicate: ({ state }) => state.status === 'error' });
  }, [isAway]);
  return outage;
}

async function signOut(): Promise<void> {
  await client.signOut({});
  queryClient.clear();
  await queryClient.refetchQueries(queries.me());
  window.location.assign('/');
}

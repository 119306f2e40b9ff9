/** The frame of every page: where one is, who one is, and whether the server can be heard. */
import { useQuery } from '@tanstack/react-query';
import { NavLink, Outlet } from 'react-router';
import { client, problemOf, queryClient } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { paths } from '../paths.ts';
import { SignedOut } from './Problem.tsx';

export function Layout() {
  const me = useQuery(queries.me());
  const health = useQuery(queries.health());
  const isSignedOut = me.error !== null && problemOf(me.error) === 'signed_out';
  const isAway = health.error !== null && problemOf(health.error) === 'unreachable';
  return (
    <>
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
      {isAway && (
        <div role="alert" className="banner">
          The server does not answer, so this page may be out of date. Tasks on the server's machine go on;
          workers elsewhere end theirs when their lease runs out. This page tries again by itself.
        </div>
      )}
      <main id="content">{isSignedOut ? <SignedOut /> : <Outlet />}</main>
    </>
  );
}

async function signOut(): Promise<void> {
  await client.signOut({});
  queryClient.clear();
  await queryClient.refetchQueries(queries.me());
  window.location.assign('/');
}

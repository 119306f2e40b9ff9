/** The server itself: what it is, whether it is well, who signs in. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, Nothing, textMap } from './wire.ts';

export const wellKnownConfig = route({
  method: 'GET',
  path: '/.well-known/databricks-config',
  summary: 'Tells clients how to sign in and which workspace this is.',
  request: z.object({}),
  response: z.looseObject({
    oidc_endpoint: z.string(),
    workspace_id: z.string(),
    account_id: z.string().optional(),
  }),
  permission: 'open',
  audit: null,
});

export const healthz = route({
  method: 'GET',
  path: '/healthz',
  summary: 'Answers while the process lives.',
  request: z.object({}),
  response: z.looseObject({ status: z.literal('ok') }),
  permission: 'open',
  audit: null,
});

export const readyz = route({
  method: 'GET',
  path: '/readyz',
  summary: 'Answers once runs can be taken; 503 before that and while the server drains.',
  request: z.object({}),
  response: z.looseObject({ status: z.literal('ready') }),
  permission: 'open',
  audit: null,
});

export const ServerStatus = z.looseObject({
  version: z.string(),
  started_at_ms: epochMs,
  workers: z.array(
    z.looseObject({
      worker_id: z.string(),
      slots: z.int(),
      running: z.int(),
      /**
       * A worker of a server's own machine is `local`. One that is `silent` has not been heard of for 15 s, or has let its
       * lease run out: then its attempts count as lost.
       */
      state: z.enum(['local', 'live', 'silent', 'signed_off']).optional(),
      labels: textMap.optional(),
      hostname: z.string().nullable().optional(),
      /** Since its last heartbeat; one comes every 5 s. */
      heard_ms_ago: z.int().optional(),
      /** Null where there is none: a worker inside a server is not lost by time. */
      lease_left_ms: z.int().nullable().optional(),
    }),
  ),
  hosts: z.array(
    z.looseObject({
      cluster_id: z.string(),
      /** A cluster has a host of its own on each worker. */
      worker_id: z.string().optional(),
      state: z.string(),
      spark_state: z.string(),
      pid: z.int().nullable(),
      message: z.string(),
    }),
  ),
  loops: z.array(
    z.looseObject({
      name: z.string(),
      last_turn_at_ms: epochMs.nullable(),
      last_error: z.string().nullable(),
    }),
  ),
  runs: z.looseObject({ queued: z.int(), running: z.int() }),
});
export type ServerStatus = z.output<typeof ServerStatus>;

export const status = route({
  method: 'GET',
  path: '/api/headrace/status',
  summary: 'Shows workers, hosts, loops and how many runs there are.',
  request: z.object({}),
  response: ServerStatus,
  permission: 'user',
  audit: 'server.status',
});

export const signInLinksCreate = route({
  method: 'POST',
  path: '/api/headrace/sign-in-links',
  summary: 'Makes a link that signs a browser in, once.',
  request: z.object({}),
  response: z.looseObject({ url: z.string(), expires_at: epochMs }),
  permission: 'admin',
  audit: 'sign-in-links.create',
});

export const signIn = route({
  method: 'GET',
  path: '/api/headrace/sign-in',
  summary: 'Uses up a sign-in link: sets the session cookie and shows the start page.',
  request: z.object({ code: z.string().min(1).max(255) }),
  response: z.looseObject({ location: z.string(), set_cookie: z.string() }),
  kind: 'redirect',
  permission: 'open',
  audit: 'sessions.sign-in',
});

export const signOut = route({
  method: 'POST',
  path: '/api/headrace/sign-out',
  summary: 'Ends the session of the browser.',
  request: z.object({}),
  response: Nothing,
  permission: 'user',
  audit: 'sessions.sign-out',
});

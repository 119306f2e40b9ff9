import { routes } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

const closedRoutes = Object.entries(routes).filter(([, route]) => route.permission !== 'open');
const examplePath = (path: string) => path.replaceAll(/\{\w+\+?\}/g, '1');

describe('without a good token', () => {
  test('every route but the open ones answers 401, at each of its paths', async () => {
    expect(closedRoutes.length).toBeGreaterThan(40);
    for (const [name, route] of closedRoutes) {
      for (const path of [route.path, ...route.aliases]) {
        for (const token of [null, 'hrp_unknown', 'hrt_1.1.1.9999999999.x']) {
          const response = await server.send(route.method, examplePath(path), { token });

          expect([name, path, response.status]).toEqual([name, path, 401]);
          if (route.method === 'HEAD') continue; // It has no body.
          expect(await response.json()).toMatchObject({ error_code: 'UNAUTHENTICATED', details: [] });
        }
      }
    }
  });

  test('a body is not even read', async () => {
    const response = await server.send('POST', '/api/2.2/jobs/create', { token: null, body: '{not json' });

    expect(response.status).toBe(401);
  });

  test('the open routes answer', async () => {
    for (const path of ['/healthz', '/readyz', '/.well-known/databricks-config']) {
      expect((await server.send('GET', path, { token: null })).status).toBe(200);
    }
  });
});

describe('tokens', () => {
  test('a made token works until it is deleted, and is listed without its value', async () => {
    const made = await server.client.tokensCreate({ comment: 'ci', lifetime_seconds: 3_600 });
    const me = () => server.send('GET', '/api/2.0/preview/scim/v2/Me', { token: made.token_value });

    expect((await me()).status).toBe(200);
    const listed = await server.client.tokensList({});
    expect(JSON.stringify(listed)).toContain(made.token_info.token_id);
    expect(JSON.stringify(listed)).not.toContain(made.token_value);

    await server.client.tokensDelete({ token_id: made.token_info.token_id });
    expect((await me()).status).toBe(401);
  });

  test('an expired token is refused', async () => {
    const { token_value, token_info } = await server.client.tokensCreate({ lifetime_seconds: 60 });
    await server.database.pool.query('update tokens set expires_at_ms = 1 where id = $1', [
      token_info.token_id,
    ]);

    expect((await server.send('GET', '/api/2.2/jobs/list', { token: token_value })).status).toBe(401);
  });

  test('no token is stored in clear', async () => {
    const { rows } = await server.database.pool.query(
      `select * from tokens where hash = sha256($1::text::bytea)`,
      [server.token],
    );

    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(server.token);
  });

  test('the local token of a start ends with it, the administrator keeps theirs', async () => {
    const other = await startTestServer();
    const { localToken, token } = other;

    const again = await other.restart();

    expect(again.newAdminToken).toBeNull();
    expect((await again.send('GET', '/api/2.2/jobs/list', { token: localToken })).status).toBe(401);
    expect((await again.send('GET', '/api/2.2/jobs/list', { token })).status).toBe(200);
    await again.dispose();
  });
});

describe('browsers', () => {
  const signIn = async () => {
    const { url } = await server.client.signInLinksCreate({});
    const response = await server.send('GET', url, { token: null });
    return { url, response, cookie: response.headers.get('set-cookie') ?? '' };
  };

  test('a sign-in link works once and sets a cookie that scripts cannot read', async () => {
    const { url, response, cookie } = await signIn();

    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/');
    expect(cookie).toMatch(/^headrace_session=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    expect((await server.send('GET', url, { token: null })).status).toBe(401);
  });

  test('a cookie may read, and changes things only from our own pages', async () => {
    const { cookie } = await signIn();
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    const post = (more: Record<string, string>) =>
      server.send('POST', '/api/2.0/workspace/mkdirs', {
        token: null,
        headers: { ...headers, ...more },
        body: '{"path":"/Shared/x"}',
      });

    expect((await server.send('GET', '/api/2.2/jobs/list', { token: null, headers })).status).toBe(200);
    expect((await post({})).status).toBe(403);
    expect((await post({ origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await post({ origin: server.url })).status).toBe(200);
  });

  test('signing out ends the session, wherever its cookie was copied to', async () => {
    const { cookie } = await signIn();
    const headers = { cookie: cookie.split(';')[0] ?? '', origin: server.url };

    await server.send('POST', '/api/headrace/sign-out', { token: null, headers });

    expect((await server.send('GET', '/api/2.2/jobs/list', { token: null, headers })).status).toBe(401);
  });
});

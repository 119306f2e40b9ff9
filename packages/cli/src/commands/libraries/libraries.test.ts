import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer({ clustersList: async () => ({ clusters: [] }), ...handlers });
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };
  return callCli(['libraries', ...args], { environment, ...world });
}

const library_statuses = [
  {
    library: { pypi: { package: 'polars==1.9' } },
    status: 'INSTALLED' as const,
    is_library_for_all_clusters: false,
  },
  {
    ...{ library: { jar: 'dbfs:/a.jar' }, status: 'FAILED' as const, is_library_for_all_clusters: false },
    messages: ['dbfs:/a.jar is not there\nmore'],
  },
];

test('cluster-status is a table with the first line of what failed, or the body of the API', async () => {
  const librariesClusterStatus = async () => ({ cluster_id: 'c', library_statuses });

  const table = await call(['cluster-status', 'c'], { librariesClusterStatus });
  expect(table.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['LIBRARY', 'STATUS', 'MESSAGE'],
    ['pypi polars==1.9', 'INSTALLED', '-'],
    ['dbfs:/a.jar', 'FAILED', 'dbfs:/a.jar is not there'],
    [''],
  ]);
  server?.close();
  const json = await call(['cluster-status', 'c', '-o', 'json'], { librariesClusterStatus });
  expect(JSON.parse(json.stdout)).toEqual({ cluster_id: 'c', library_statuses });
});

test('all-cluster-statuses says of which cluster each is, and what there is when there is none', async () => {
  const statuses = [{ cluster_id: 'c1', library_statuses }];

  const table = await call(['all-cluster-statuses'], {
    librariesAllClusterStatuses: async () => ({ statuses }),
  });
  expect(table.stdout).toContain('c1       pypi polars==1.9');
  server?.close();
  const none = await call(['all-cluster-statuses'], {
    librariesAllClusterStatuses: async () => ({ statuses: [] }),
  });
  expect(none.stdout).toBe('no cluster has libraries of its own\n');
});

test.each(['install', 'uninstall'])('%s sends what options and a document name', async (name) => {
  const sent: unknown[] = [];
  const take = async (request: unknown) => {
    sent.push(request);
    return {};
  };
  const file = path.join(os.tmpdir(), `headrace-libraries-${process.pid}.json`);
  await writeFile(file, JSON.stringify({ libraries: [{ pypi: { package: 'a', repo: 'https://r' } }] }));

  const called = await call(
    [name, 'c', '--json', `@${file}`, '--maven', 'g:a:1', '--whl', '/w.whl', '--whl', '/v.whl'],
    { librariesInstall: take, librariesUninstall: take },
  );

  expect(called).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('pypi a, maven g:a:1, /w.whl'),
  });
  expect(sent).toEqual([
    {
      cluster_id: 'c',
      libraries: [
        { pypi: { package: 'a', repo: 'https://r' } },
        { maven: { coordinates: 'g:a:1' } },
        { whl: '/w.whl' },
        { whl: '/v.whl' },
      ],
    },
  ]);
});

test.each([
  [['install', 'c'], 'which libraries?'],
  [['install', 'c', '--json', '[1]'], '--json: it is no JSON object'],
  [['install', 'c', '--json', '{}', '--json-file', 'x'], 'give one of them'],
  [['install', 'c', '--json', '@/nonexistent/x.json'], 'cannot read /nonexistent/x.json'],
])('%s is wrong usage', async (args, message) => {
  const called = await call(args, {});

  expect(called).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
});

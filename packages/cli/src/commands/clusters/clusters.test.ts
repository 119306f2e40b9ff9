import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ClusterDocument } from '@headrace/api';
import { ApiError } from '@headrace/api';
import { afterEach, describe, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer(handlers);
  return callCli(args, { environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' }, ...world });
}

const etl: ClusterDocument = {
  cluster_id: '1121-180000-abcd1234',
  cluster_name: 'etl',
  state: 'RUNNING',
  creator_user_name: 'ada',
  start_time: 0,
};
const lists: StubHandlers = { clustersList: async () => ({ clusters: [etl] }) };

test('clusters list shows a table', async () => {
  const { stdout } = await call(['clusters', 'list'], lists);

  expect(stdout).toBe(
    'ID                    NAME  STATE    OWNER  STARTED\n1121-180000-abcd1234  etl   RUNNING  ada    -\n',
  );
});

test('a cluster is named by its id or its name; a name that two have is refused with both ids', async () => {
  const asked: string[] = [];
  const handlers: StubHandlers = {
    ...lists,
    clustersPin: async ({ cluster_id }) => {
      asked.push(cluster_id);
      return {};
    },
  };
  await call(['clusters', 'pin', 'etl'], handlers);
  server?.close();
  await call(['clusters', 'pin', etl.cluster_id], handlers);
  server?.close();
  const twice = { clustersList: async () => ({ clusters: [etl, { ...etl, cluster_id: 'other' }] }) };
  const refused = await call(['clusters', 'pin', 'etl'], { ...handlers, ...twice });

  expect(asked).toEqual([etl.cluster_id, etl.cluster_id]);
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('other') });
});

test('start waits until the cluster runs, and fails with the reason when it does not', async () => {
  const states: ClusterDocument['state'][] = ['PENDING', 'RUNNING'];
  const handlers: StubHandlers = {
    ...lists,
    clustersStart: async () => ({}),
    clustersGet: async () => ({ ...etl, state: states.shift() ?? 'RUNNING' }),
  };
  const well = await call(['clusters', 'start', 'etl'], handlers);
  server?.close();
  const termination_reason = {
    ...({ code: 'INIT_SCRIPT_FAILURE', type: 'CLIENT_ERROR' } as const),
    parameters: { error_message: 'x.sh ended with code 1' },
  };
  const ended = { ...etl, state: 'TERMINATED' as const, termination_reason };
  const badly = await call(['clusters', 'start', 'etl'], { ...handlers, clustersGet: async () => ended });

  expect(well).toMatchObject({ exitCode: 0, stdout: `cluster ${etl.cluster_id} runs\n` });
  expect(badly.exitCode).toBe(1);
  expect(badly.stderr).toContain('INIT_SCRIPT_FAILURE: x.sh ended with code 1');
});

test('create sends the document as it is written', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-clusters-cli-'));
  await writeFile(path.join(folder, 'c.json'), JSON.stringify({ spark_version: '15.4', colour: 'blue' }));
  let sent: unknown;
  const handlers: StubHandlers = {
    clustersCreate: async (request) => {
      sent = request;
      return { cluster_id: etl.cluster_id };
    },
  };

  const { stdout } = await call(['clusters', 'create', '--json-file', 'c.json', '--no-wait'], handlers, {
    folder,
  });

  await rm(folder, { recursive: true });
  expect(sent).toEqual({ spark_version: '15.4', colour: 'blue' });
  expect(stdout).toBe(`cluster ${etl.cluster_id} created\n`);
});

test('resize takes a number or a range, not both and not none', async () => {
  const sent: unknown[] = [];
  const handlers: StubHandlers = {
    ...lists,
    clustersResize: async (request) => {
      sent.push(request);
      return {};
    },
    clustersGet: async () => etl,
  };
  const resize = async (...args: string[]) => {
    const called = await call(['clusters', 'resize', 'etl', ...args], handlers);
    server?.close();
    return called.exitCode;
  };

  expect(await resize('--workers', '4')).toBe(0);
  expect(await resize('--max-workers', '8')).toBe(0);
  expect(await resize()).toBe(2);
  expect(await resize('--workers', '4', '--max-workers', '8')).toBe(2);
  expect(sent).toEqual([
    { cluster_id: etl.cluster_id, num_workers: 4 },
    { cluster_id: etl.cluster_id, autoscale: { min_workers: 0, max_workers: 8 } },
  ]);
});

test('events shows a line for each, without the documents that they hold', async () => {
  const details = { user: 'ada', attributes: { spark_version: '15.4' } };
  const handlers: StubHandlers = {
    ...lists,
    clustersEvents: async () => ({
      events: [{ cluster_id: etl.cluster_id, timestamp: 0, type: 'CREATING', details }],
      total_count: 3,
    }),
  };

  const { stdout, stderr } = await call(['clusters', 'events', 'etl'], handlers);

  expect(stdout).toContain('CREATING  user=ada\n');
  expect(stderr).toContain('and 2 more');
});

test('an unknown cluster gives what the server says', async () => {
  const handlers: StubHandlers = {
    ...lists,
    clustersGet: async ({ cluster_id }) => {
      throw new ApiError('INVALID_PARAMETER_VALUE', `Cluster ${cluster_id} does not exist`);
    },
  };

  const { exitCode, stderr } = await call(['clusters', 'get', 'nowhere'], handlers);

  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('Cluster nowhere does not exist');
});

describe('before tasks that run are ended', () => {
  const busy = { ...etl, headrace: { running_tasks: 2 } };
  const ended: string[] = [];
  const handlers: StubHandlers = {
    ...lists,
    clustersGet: async () => (ended.length === 0 ? busy : { ...etl, state: 'TERMINATED' }),
    clustersDelete: async ({ cluster_id }) => {
      ended.push(cluster_id);
      return { headrace: { interrupted_tasks: 2 } };
    },
  };
  const remove = (args: readonly string[] = [], world = {}) => {
    ended.length = 0;
    server?.close();
    return call(['clusters', 'delete', 'etl', ...args], handlers, world);
  };

  test('a person is asked, and nobody else answers for them', async () => {
    const questions: string[] = [];
    const confirm = (isAgreed: boolean) => async (question: string) => {
      questions.push(question);
      return isAgreed;
    };
    const declined = await remove([], { confirm: confirm(false) });
    const afterDeclined = ended.length;
    const alone = await remove();
    const agreed = await remove([], { confirm: confirm(true) });

    expect([declined.exitCode, afterDeclined, alone.exitCode]).toEqual([2, 0, 2]);
    expect(questions[0]).toBe(`2 tasks run on cluster ${etl.cluster_id} and will be ended. Go on?`);
    expect(alone.stderr).toContain('--auto-approve');
    expect(agreed.stdout).toBe(`cluster ${etl.cluster_id} is terminated; 2 tasks on it were ended\n`);
  });

  test.each([['--yes'], ['--auto-approve']])('with %s nothing is asked', async (option) => {
    expect((await remove([option])).exitCode).toBe(0);
    expect(server?.calls.slice(0, 2).map((line) => line.split('/').at(-1))).toEqual(['list', 'delete']);
  });
});

test('an update of nothing says so', async () => {
  const { exitCode, stderr } = await call(['clusters', 'update', 'etl', '--json', '{}'], lists);

  expect(exitCode).toBe(2);
  expect(stderr).toContain('there is nothing to change');
  expect(stderr).toContain('--mask');
});

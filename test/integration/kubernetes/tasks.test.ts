import { expect, test } from 'vitest';
import { usePodBench } from './support.ts';

const bench = usePodBench();

test('a task runs in a Pod, from the claim to its result', async () => {
  await bench().startWorker();
  const attempt = bench().aTask('import os\nprint("hello from", os.environ["COLOUR"])', {
    cluster: {
      ...{ clusterId: 'job-7-task-ab', clusterName: 'load of run 7', hostKey: 'k', idleMs: null },
      ...{ sparkConf: {}, environment: { COLOUR: "it's blue" }, ownerId: 3 },
    },
  });

  bench().source.offer(attempt);

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
  expect(bench().log(attempt)).toBe("hello from it's blue\n");
  expect(bench().api.pods.get(bench().onlyPod())?.metadata?.labels).toMatchObject({
    'headrace.io/cluster-id': 'job-7-task-ab',
    'headrace.io/run-id': '7',
    'headrace.io/owner-id': '3',
  });
});

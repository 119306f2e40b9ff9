import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench();

test('a task runs in a process of its own and its output is kept', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(
    'import os, sys\nprint("hello", os.getpid() == os.getsid(0))\nprint("err", file=sys.stderr)',
  );

  bench().source.offer(attempt);

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
  expect(bench().log(attempt)).toBe('hello True\nerr\n');
});

test.each([
  ['import sys; sys.exit(3)', 'exited with status 3'],
  ['raise ValueError("bad rows")', 'ValueError: bad rows'],
  ['import os; os._exit(7)', 'exited with code 7'],
  ['import ctypes; ctypes.string_at(0)', 'segmentation fault'],
  ['import os, signal; os.kill(os.getpid(), signal.SIGKILL)', 'look for a kill in the code'],
  ['def f(', 'SyntaxError'],
])('%s fails with a message that people understand', async (script, words) => {
  await bench().startWorker();
  const attempt = bench().aTask(script);

  bench().source.offer(attempt);

  const { outcome } = await bench().source.reported(attempt.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { message: expect.stringContaining(words) } });
});

test('an attempt that the host cannot set up is given back, and the host goes on', async () => {
  await bench().startWorker();
  const blocked = bench().aTask('print("never")');
  const { runId, attemptId } = blocked;
  const log = path.join(bench().folder, 'data/attempts', String(runId), String(attemptId), 'output.log');
  fs.mkdirSync(log, { recursive: true });
  const next = bench().aTask('print("well")');

  bench().source.offer(blocked);

  expect(await bench().source.reported(attemptId, 'lost')).toMatchObject({ beforeUserCode: true });
  bench().source.offer(next);
  expect(await bench().source.reported(next.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
});

test('50 tasks at once all end well', async () => {
  await bench().startWorker();
  const attempts = Array.from({ length: 50 }, (_, index) => bench().aTask(`print(${index})`));

  bench().source.offer(...attempts);

  for (const [index, attempt] of attempts.entries()) {
    expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
      outcome: { kind: 'succeeded' },
    });
    expect(bench().log(attempt)).toBe(`${index}\n`);
  }
});

test('what a task leaves running is ended with it', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(`
import subprocess, sys
subprocess.Popen(["sleep", "1001"])
subprocess.Popen(["sleep", "1002"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
`);

  bench().source.offer(attempt);

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
  expect(
    bench()
      .census()
      .filter((line) => line.includes('sleep')),
  ).toEqual([]);
});

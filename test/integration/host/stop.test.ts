import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench();

test('a stop ends a task that ignores SIGTERM, and all its descendants', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(`
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 1003 & sleep 1003"])
subprocess.Popen(["sleep", "1004"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    time.sleep(1000)
print("ready", flush=True)
time.sleep(1000)
`);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => bench().log(attempt)).toContain('ready');

  bench().source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'cancelled_by_user' });

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'stopped' },
  });
  expect(
    bench()
      .census()
      .filter((line) => line.includes('sleep')),
  ).toEqual([]);
  // What is left: the host, its zygote, and two spare children.
  await expect.poll(() => bench().census()).toHaveLength(4);
});

test.for([
  { ending: 'ends by itself', last: 'os._exit(0)' },
  { ending: 'heeds SIGTERM', last: 'time.sleep(1000)' },
])('what a task that $ending has forked into a session of its own ends with it', async ({ last }) => {
  await bench().startWorker();
  const attempt = bench().aTask(`
import os, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() > 0:
        os._exit(0)
    # Nothing shows whose it is: not its parent, its session, its output, nor its folder.
    os.chdir("/")
    os.closerange(0, 100)
    with open("${bench().folder}/forked.new", "w") as file:
        file.write(str(os.getpid()))
    os.rename("${bench().folder}/forked.new", "${bench().folder}/forked")
    time.sleep(1000)
while not os.path.exists("${bench().folder}/forked"):
    time.sleep(0.01)
print("ready", flush=True)
${last}
`);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => bench().log(attempt)).toContain('ready');

  bench().source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'cancelled_by_user' });

  await bench().source.reported(attempt.attemptId, 'ended');
  const pid = fs.readFileSync(path.join(bench().folder, 'forked'), 'utf8');
  expect(
    bench()
      .census()
      .filter((line) => line.startsWith(`${pid} `)),
  ).toEqual([]);
});

test('a task that heeds SIGTERM is given its grace', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(`
import signal, sys, time
def leave(*_):
    print("tidied up", flush=True)
    sys.exit(1)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
time.sleep(1000)
`);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => bench().log(attempt)).toContain('ready');

  bench().source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'timed_out' });

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'stopped' },
  });
  expect(bench().log(attempt)).toContain('tidied up');
});

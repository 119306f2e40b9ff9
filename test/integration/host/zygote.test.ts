import fs from 'node:fs';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench();

test('a killed zygote fails its tasks, with their descendants, and is replaced', async () => {
  await bench().startWorker();
  const victim = bench().aTask(`
import subprocess, time
subprocess.Popen(["sleep", "1006"], start_new_session=True)
print("ready", flush=True)
time.sleep(1000)
`);
  bench().source.offer(victim);
  await bench().source.reported(victim.attemptId, 'started');
  await expect.poll(() => bench().log(victim)).toContain('ready');

  process.kill(zygotePid(), 'SIGKILL');

  const { outcome } = await bench().source.reported(victim.attemptId, 'ended');
  expect(outcome).toMatchObject({
    kind: 'failed',
    failure: { code: 'DRIVER_ERROR', message: expect.stringContaining('forked from was killed (SIGKILL)') },
  });
  expect(
    bench()
      .census()
      .filter((line) => line.includes('sleep')),
  ).toEqual([]);
  const next = bench().aTask('print("again")');
  bench().source.offer(next);
  expect(await bench().source.reported(next.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
});

test('a host whose zygote dies while it is being stopped still ends', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(`
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("ready", flush=True)
while True:
    time.sleep(1000)
`);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => bench().log(attempt)).toContain('ready');
  const zygote = zygotePid();

  process.kill(bench().hostPid(), 'SIGTERM');
  await expect.poll(() => bench().log(attempt)).toContain('asked');
  process.kill(zygote, 'SIGKILL');

  await expect.poll(() => bench().census(), { timeout: 5_000 }).toEqual([]);
});

/** The child of the host; its own children have its command line too. */
function zygotePid(): number {
  const zygotes = bench()
    .census()
    .filter((line) => line.includes('headrace_runtime.zygote'));
  const pids = zygotes.map((line) => Number(line.split(' ')[0]));
  const pid = pids.find((candidate) => parentOf(candidate) === bench().hostPid());
  expect(pid).toBeDefined();
  return pid ?? 0;
}

function parentOf(pid: number): number {
  return Number(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1]);
}

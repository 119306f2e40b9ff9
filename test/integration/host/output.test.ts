import fs from 'node:fs';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench();

test('a task that prints 1 GB succeeds, and its log has head, mark and tail', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(`
line = "x" * 99 + "\\n"
block = line * 1000
print("the first line")
import sys
for _ in range(10_000):
    sys.stdout.write(block)
print("the last line")
`);
  const startedAt = performance.now();

  bench().source.offer(attempt);

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
  const log = bench().log(attempt);
  console.log(`1 GB in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  expect(log.startsWith('the first line\n')).toBe(true);
  expect(log.endsWith('the last line\n')).toBe(true);
  expect(Buffer.byteLength(log)).toBeLessThan(attempt.document.limits.log_bytes_max + 200);
  const left = Number(/\n\[headrace: (\d+) bytes of output are left out here\]\n/.exec(log)?.[1]);
  const mark = `[headrace: ${left} bytes of output are left out here]\n`;
  expect(Buffer.byteLength(log) - mark.length + left).toBe(
    1_000_000_000 + 'the first line\nthe last line\n'.length,
  );
});

test('lines show in the log while the task runs', async () => {
  await bench().startWorker();
  const attempt = bench().aTask('import time\nprint("so far")\ntime.sleep(1000)');

  bench().source.offer(attempt);

  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => bench().log(attempt)).toBe('so far\n');
  bench().source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'cancelled_by_user' });
  await bench().source.reported(attempt.attemptId, 'ended');
  expect(fs.existsSync(bench().folder)).toBe(true);
});

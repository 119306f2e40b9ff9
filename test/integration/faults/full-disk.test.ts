/** A small disk that is full, where this process may mount one: as root on Linux. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from '../host/support.ts';

const bench = useHostBench();

function mount(folder: string): boolean {
  fs.mkdirSync(folder, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]).status === 0;
}

function canMount(): boolean {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hr-mount-'));
  const could = mount(folder);
  if (could) spawnSync('umount', [folder]);
  fs.rmdirSync(folder);
  return could;
}

test.skipIf(!canMount())(
  'a task that fills the disk fails with that reason, and the host goes on',
  async () => {
    const folder = path.join(bench().folder, 'data/attempts');
    expect(mount(folder)).toBe(true);
    try {
      await bench().startWorker();
      const filling = bench().aTask(`
with open("big", "wb", buffering=0) as file:
    while True:
        file.write(b"x" * 65536)
`);
      bench().source.offer(filling);

      const { outcome } = await bench().source.reported(filling.attemptId, 'ended');

      expect(outcome).toMatchObject({
        kind: 'failed',
        failure: { message: "The disk that holds the task's folder is full: it could write no result." },
      });
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
    const next = bench().aTask('print("next")');
    bench().source.offer(next);
    expect(await bench().source.reported(next.attemptId, 'ended')).toMatchObject({
      outcome: { kind: 'succeeded' },
    });
  },
  120_000,
);

test.skipIf(!canMount())(
  'a task that prints more than the disk holds loses lines, and no task beside it its result',
  async () => {
    const folder = path.join(bench().folder, 'data/attempts');
    expect(mount(folder)).toBe(true);
    try {
      await bench().startWorker();
      const enough = path.join(bench().folder, 'enough');
      const neighbour = bench().aTask(`
import os, time
while not os.path.exists("${enough}"):
    time.sleep(0.05)
print("went on")
`);
      const printing = bench().aTask(`
for number in range(200_000):
    print(f"{number:06} " + "x" * 93)
`);
      const limits = { ...printing.document.limits, log_bytes_max: 2 ** 26, disk_bytes_max: 2 ** 30 };
      bench().source.offer(neighbour, { ...printing, document: { ...printing.document, limits } });

      const { outcome } = await bench().source.reported(printing.attemptId, 'ended');

      expect(outcome).toMatchObject({ kind: 'succeeded' });
      expect(bench().log(printing)).toMatch(
        /^000000 x+\n.*\n\[headrace: \d+ bytes of output are left out here\]\n.*199999 x+\n$/s,
      );
      fs.writeFileSync(enough, '');
      expect(await bench().source.reported(neighbour.attemptId, 'ended')).toMatchObject({
        outcome: { kind: 'succeeded' },
      });
      expect(bench().log(neighbour)).toBe('went on\n');
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  },
  120_000,
);

/** What a task may take of its machine: beyond it that task is ended and says so, and nothing else is hurt. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { ClaimedAttempt } from '../../../packages/worker/src/ports.ts';
import { useHostBench } from './support.ts';

const bench = useHostBench();
const megabyte = 1024 * 1024;
const secondsMax = 120_000;

function limited(script: string, limits: Partial<ClaimedAttempt['document']['limits']>): ClaimedAttempt {
  const attempt = bench().aTask(script);
  const { document } = attempt;
  return { ...attempt, document: { ...document, limits: { ...document.limits, ...limits } } };
}

test(
  'a task that takes more memory than its limit is ended, with its processes; its neighbours go on',
  async () => {
    await bench().startWorker();
    const done = `${bench().folder}/done`;
    const neighbour = bench().aTask(`
import os, time
while not os.path.exists("${done}"):
    time.sleep(0.05)
`);
    // Its memory is that of a grandchild in a session of its own, whose parent has gone.
    const greedy = limited(
      `
import os, subprocess, sys, time
eater = "import time; kept = bytearray(400 * 2**20); kept[::4096] = b'x' * len(kept[::4096]); print('full', flush=True); time.sleep(600)"
subprocess.run([sys.executable, "-c", "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)", eater])
time.sleep(600)
`,
      { memory_bytes_max: 300 * megabyte },
    );
    bench().source.offer(neighbour);
    bench().source.offer(greedy);

    const { outcome } = await bench().source.reported(greedy.attemptId, 'ended');

    expect(outcome).toMatchObject({
      kind: 'failed',
      failure: {
        code: 'RUN_EXECUTION_ERROR',
        message: expect.stringMatching(
          /^The task used [34]\d\d MB of memory, its limit is 300 MB, so it was ended\. .*headrace\.memory_mb/,
        ),
      },
    });
    expect(
      bench()
        .census()
        .filter((line) => line.includes('bytearray')),
    ).toEqual([]);
    fs.writeFileSync(done, '');
    const neighbourEnd = await bench().source.reported(neighbour.attemptId, 'ended');
    expect(neighbourEnd).toMatchObject({ outcome: { kind: 'succeeded' } });
  },
  secondsMax,
);

test(
  'pages that many processes share count once',
  async () => {
    await bench().startWorker();
    // 8 × 100 MB by the count of each process alone, of which 100 MB are there.
    const sharing = limited(
      `
import os, time
kept = b"x" * (100 * 2**20)
children = []
for _ in range(7):
    pid = os.fork()
    if pid == 0:
        time.sleep(3)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
print("shared")
`,
      { memory_bytes_max: 400 * megabyte },
    );
    bench().source.offer(sharing);

    const end = await bench().source.reported(sharing.attemptId, 'ended');

    expect(end, bench().log(sharing)).toMatchObject({ outcome: { kind: 'succeeded' } });
  },
  secondsMax,
);

test(
  'a task whose files, temporary ones included, take more of the disk than its limit is ended',
  async () => {
    await bench().startWorker();
    const filling = limited(
      `
import os, tempfile, time
os.makedirs("deep/er")
for folder in ("deep/er", tempfile.gettempdir()):
    with open(f"{folder}/file", "wb") as file:
        file.write(b"x" * (50 * 2**20))
time.sleep(600)
`,
      { disk_bytes_max: 64 * megabyte },
    );
    bench().source.offer(filling);

    const { outcome } = await bench().source.reported(filling.attemptId, 'ended');

    expect(outcome).toMatchObject({
      failure: { message: expect.stringMatching(/used \d+ MB of disk, its limit is 64 MB/) },
    });
  },
  secondsMax,
);

test(
  'temporary files go with the task that made them, and its weight is that of all its processes',
  async () => {
    await bench().startWorker();
    const script = `
import os, subprocess, sys, tempfile
place = tempfile.mkdtemp()
open(place + "/file", "w").close()
print(tempfile.gettempdir())
print(subprocess.check_output([sys.executable, "-c", "import os, tempfile; print(os.getpriority(os.PRIO_PROCESS, 0), tempfile.gettempdir())"], text=True).strip())
`;
    const attempts = [
      limited(script, {}),
      limited(script, { cpu_weight: 50 }),
      limited(script, { cpu_weight: 1 }),
    ];
    bench().source.offer(...attempts);
    for (const { attemptId } of attempts) await bench().source.reported(attemptId, 'ended');

    const told = attempts.map((attempt) => bench().log(attempt).trim().split('\n'));
    const own = told.map(([folder]) => folder ?? '');
    expect(told.map((lines) => lines[1])).toEqual([`0 ${own[0]}`, `3 ${own[1]}`, `19 ${own[2]}`]);
    expect(new Set(own).size).toBe(3);
    await expect.poll(() => own.filter((folder) => fs.existsSync(folder))).toEqual([]);
  },
  secondsMax,
);

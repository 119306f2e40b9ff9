/** The engine alone: real PostgreSQL, real HTTP, hosts in memory. What is left is deciding, saving and claiming. */
import { createFakeBackend } from '@headrace/worker';
import { clock, startBenchServer } from './bench-server.ts';
import { inMs, measureFdatasync, median, percentile, printRow, repeat } from './statistics.ts';

const chainLength = 40;
const fanWidth = 100;
const runsAtOnce = 50;

export async function benchEngine(): Promise<void> {
  const bench = await startBenchServer({ slots: 128, backend: () => createFakeBackend({ clock }) });
  try {
    const submit = async (tasks: object[]) => [
      (await bench.client.runsSubmit({ run_name: 'bench', tasks: tasks as never })).run_id,
    ];
    const chain = () => bench.timeToEnd(() => submit(chainOf(chainLength)));
    const fan = () => bench.timeToEnd(() => submit(fanOf(fanWidth)));
    const many = () =>
      bench.timeToEnd(async () =>
        (await Promise.all(Array.from({ length: runsAtOnce }, () => submit(chainOf(1))))).flat(),
      );
    await repeat(20, chain);
    await repeat(3, fan);

    const sync = measureFdatasync();
    printRow('one fdatasync', inMs(sync), '');
    printRow(
      `chain of ${chainLength}`,
      inMs(median(await repeat(15, chain))),
      `target ${inMs(120 + 41 * sync)}`,
    );
    printRow(`root, ${fanWidth} in parallel, join`, inMs(median(await repeat(10, fan))), 'target 250 ms');
    printRow(`${runsAtOnce} runs of one task at once`, inMs(median(await repeat(10, many))), 'target 200 ms');
    const one = await repeat(50, () => bench.timeToEnd(() => submit(chainOf(1))));
    printRow('one task, request to end, p50', inMs(percentile(one, 0.5)), `two commits: ${inMs(2 * sync)}`);
  } finally {
    await bench.stop();
  }
}

function chainOf(length: number): object[] {
  return Array.from({ length }, (_, index) => lightTask(`t${index}`, index === 0 ? [] : [`t${index - 1}`]));
}

function fanOf(width: number): object[] {
  const middle = Array.from({ length: width }, (_, index) => `m${index}`);
  return [lightTask('root', []), ...middle.map((key) => lightTask(key, ['root'])), lightTask('join', middle)];
}

function lightTask(key: string, after: readonly string[]): object {
  return {
    task_key: key,
    depends_on: after.map((task_key) => ({ task_key })),
    spark_python_task: { python_file: '/light.py' },
  };
}

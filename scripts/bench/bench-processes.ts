/** A chain of light Python tasks, a process each, on a warm host; beside bare Pythons and bare forks of the same run. */
import path from 'node:path';
import { createLocalBackend, preimportDefault } from '@headrace/worker';
import { readRuntime, repository, timeBareForks, timeBarePythons } from './baselines.ts';
import { type BenchServer, startBenchServer, workerOver } from './bench-server.ts';
import { inMs, median, printRow, repeat } from './statistics.ts';

const chainLength = 40;
const lightFile = '/Workspace/Shared/bench/light.py';

export async function benchProcesses(): Promise<void> {
  const runtime = readRuntime();
  const slots = 8;
  const start = workerOver(slots, ({ hostsFolder, dataRoot, workerId }) =>
    createLocalBackend({
      ...{ hostsFolder, dataRoot, workerId, runtime, warmUp: false },
      preimport: ['headrace_runtime.launch', ...preimportDefault],
      pythonPath: path.join(repository, 'python'),
      environment: process.env,
    }),
  );
  const bench = await startBenchServer({ slots, start });
  try {
    await bench.client.workspaceMkdirs({ path: path.posix.dirname(lightFile) });
    const content = Buffer.from('print("light")\n').toString('base64');
    await bench.client.workspaceImport({ path: lightFile, format: 'RAW', content, overwrite: true });
    await repeat(3, () => runChain(bench));

    // Turn by turn: the load of a shared machine then meets all three alike.
    const chains: number[] = [];
    const pythons: number[] = [];
    const forks: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      chains.push(await runChain(bench), await runChain(bench));
      pythons.push(timeBarePythons(runtime, chainLength));
      forks.push(timeBareForks(runtime, chainLength));
    }
    const chain = median(chains);
    const bare = median(pythons);
    const fork = median(forks);
    printRow(
      `chain of ${chainLength} Python tasks`,
      inMs(chain),
      `target ${inMs(Math.min(800, 1.2 * bare))}`,
    );
    printRow(
      `${chainLength} bare \`python -I -S -c pass\``,
      inMs(bare),
      `ratio ${(chain / bare).toFixed(2)}, target 1.2`,
    );
    printRow(`${chainLength} bare forks of a zygote`, inMs(fork), `ratio ${(chain / fork).toFixed(1)}`);
  } finally {
    await bench.stop();
  }
}

async function runChain(bench: BenchServer): Promise<number> {
  const tasks = Array.from({ length: chainLength }, (_, index) => ({
    task_key: `t${index}`,
    ...(index === 0 ? {} : { depends_on: [{ task_key: `t${index - 1}` }] }),
    spark_python_task: { python_file: lightFile },
  }));
  let runId = 0;
  const elapsedMs = await bench.timeToEnd(async () => {
    runId = (await bench.client.runsSubmit({ run_name: 'bench', tasks })).run_id;
    return [runId];
  });
  const { state } = await bench.client.runsGet({ run_id: runId });
  if (state.result_state !== 'SUCCESS') throw new Error(`a chain ended as ${JSON.stringify(state)}`);
  return elapsedMs;
}

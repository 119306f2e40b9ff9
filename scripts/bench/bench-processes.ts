/** A chain of light Python tasks, a process each, on a warm host; beside bare Pythons and bare forks of the same run. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalBackend, type HostRuntime, preimportDefault, readHostRuntime } from '@headrace/worker';
import { type BenchServer, startBenchServer } from './bench-server.ts';
import { inMs, median, printRow, repeat } from './statistics.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const chainLength = 40;
const lightFile = '/Workspace/Shared/bench/light.py';

export async function benchProcesses(): Promise<void> {
  const runtime = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
  const bench = await startBenchServer({
    slots: 8,
    backend: ({ hostsFolder, dataRoot, workerId }) =>
      createLocalBackend({
        ...{ hostsFolder, dataRoot, workerId, runtime, warmUp: false },
        preimport: ['headrace_runtime.launch', ...preimportDefault],
        pythonPath: path.join(repository, 'python'),
        environment: process.env,
      }),
  });
  try {
    await bench.client.workspaceMkdirs({ path: path.posix.dirname(lightFile) });
    const content = Buffer.from('print("light")\n').toString('base64');
    await bench.client.workspaceImport({ path: lightFile, format: 'RAW', content, overwrite: true });
    await repeat(3, () => runChain(bench));

    const chain = median(await repeat(7, () => runChain(bench)));
    const bare = median(await repeat(3, async () => timeBarePythons(runtime.python)));
    const forks = median(await repeat(5, async () => timeBareForks(runtime)));
    const limit = Math.min(800, 1.2 * bare);
    printRow(`chain of ${chainLength} Python tasks`, inMs(chain), `target ${inMs(limit)}`);
    printRow(
      `${chainLength} bare \`python -I -S -c pass\``,
      inMs(bare),
      `ratio ${(chain / bare).toFixed(2)}`,
    );
    printRow(`${chainLength} bare forks of a zygote`, inMs(forks), `ratio ${(chain / forks).toFixed(1)}`);
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

function timeBarePythons(python: string): number {
  const startedAt = performance.now();
  for (let index = 0; index < chainLength; index++) spawnSync(python, ['-I', '-S', '-c', 'pass']);
  return performance.now() - startedAt;
}

/** One process with what the host's zygote has imported, forking and waiting in a loop. */
function timeBareForks({ python }: HostRuntime): number {
  const script = `
import importlib, os, time
for name in ${JSON.stringify(preimportDefault)}:
    importlib.import_module(name)
began = time.perf_counter()
for _ in range(${chainLength}):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print((time.perf_counter() - began) * 1000)
`;
  const { stdout, stderr } = spawnSync(python, ['-c', script], { encoding: 'utf8' });
  const elapsedMs = Number.parseFloat(stdout);
  if (Number.isNaN(elapsedMs)) throw new Error(`the fork baseline failed: ${stderr}`);
  return elapsedMs;
}

/** Environments on real hosts: conflicting versions side by side, zygotes of their own, failures that stay alone. */
import fs from 'node:fs';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { LibraryDocument } from '../../../packages/worker/src/protocol.ts';
import { useHostBench } from '../host/support.ts';
import { aTaskWith, makeVersion, printed } from './support.ts';

const bench = useHostBench();
const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The notebook's shell imports it, so every zygote has it loaded. */
const loadedByAll = 'pygments';
const show = (module: string) => `import ${module}\nprint(${module}.VERSION)`;

test('two tasks with conflicting versions run side by side on one host', async () => {
  await bench().startWorker();
  const waits = `
import pathlib, sys, time, toolbox
here, there = toolbox.VERSION, {"toolbox 1.0": "toolbox 2.0", "toolbox 2.0": "toolbox 1.0"}
folder = pathlib.Path(${JSON.stringify(bench().folder)})
(folder / here).touch()
while not (folder / there[here]).exists():
    time.sleep(0.01)
print(here)`;
  const attempts = ['1.0', '2.0'].map((version) =>
    aTaskWith(bench(), [makeVersion(bench(), 'toolbox', version)], waits),
  );

  bench().source.offer(...attempts);

  for (const attempt of attempts) await bench().source.reported(attempt.attemptId, 'ended');
  expect(attempts.map((attempt) => printed(bench(), attempt))).toEqual([['toolbox 1.0'], ['toolbox 2.0']]);
});

test('a module that the zygote has loaded is seen as the environment has it', async () => {
  await bench().startWorker();
  const libraries = [makeVersion(bench(), loadedByAll, '99.0')];

  const outputs = [await runOne(libraries), await runOne(libraries)];

  expect(outputs).toEqual([[`${loadedByAll} 99.0`], [`${loadedByAll} 99.0`]]);
  expect(await runOne([], `import ${loadedByAll}\nprint(hasattr(${loadedByAll}, "VERSION"))`)).toEqual([
    'False',
  ]);
});

test('a task that went on in a fresh image ends with its zygote, and with what it started', async () => {
  await bench().startWorker();
  const sleeps = `import subprocess, sys, time
print("fresh" if "/libraries/" in sys.executable else "as it was", flush=True)
subprocess.Popen(["sleep", "1007"], start_new_session=True)
time.sleep(1000)`;
  const attempt = aTaskWith(bench(), [makeVersion(bench(), loadedByAll, '99.0')], sleeps);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => printed(bench(), attempt), { timeout: 60_000 }).toEqual(['fresh']);

  process.kill(baseZygote(), 'SIGKILL');

  expect((await bench().source.reported(attempt.attemptId, 'ended')).outcome).toMatchObject({
    kind: 'failed',
  });
  expect(
    bench()
      .census()
      .filter((line) => line.includes('sleep') || line.includes('-m headrace_runtime.launch')),
  ).toEqual([]);
});

test('an environment that is wanted again gets a zygote, and those used least lately end', async () => {
  await bench().startWorker();
  const environments = ['1', '2', '3', '4'].map((version) => [makeVersion(bench(), loadedByAll, version)]);
  for (const libraries of environments) {
    await runOne(libraries);
    await runOne(libraries);
  }

  await expect.poll(() => zygotesOfEnvironments().length, { timeout: 60_000 }).toBe(3);
  const isForked = `import ${loadedByAll}, os\nprint(${loadedByAll}.VERSION, os.getppid())`;
  await expect
    .poll(async () => (await runOne(environments[3] ?? [], isForked))[0], { timeout: 60_000, interval: 500 })
    .toMatch(new RegExp(`^${loadedByAll} 4 (${zygotesOfEnvironments().join('|')})$`));
});

test('a broken library fails its own task and no other', async () => {
  await bench().startWorker();
  const broken = aTaskWith(bench(), [{ whl: '/nothing/broken-1.0-py3-none-any.whl' }], 'print("user code")');
  const other = bench().aTask('print("fine")');

  bench().source.offer(broken, other);

  expect((await bench().source.reported(broken.attemptId, 'ended')).outcome).toMatchObject({
    kind: 'failed',
    failure: {
      code: 'LIBRARY_INSTALLATION_ERROR',
      message: expect.stringContaining('/nothing/broken-1.0-py3-none-any.whl'),
    },
  });
  expect(bench().log(broken)).not.toContain('user code');
  expect((await bench().source.reported(other.attemptId, 'ended')).outcome).toMatchObject({
    kind: 'succeeded',
  });
});

test('a stop ends an installation, with all its processes', async () => {
  const index = await startSilentServer();
  await bench().startWorker();
  const attempt = aTaskWith(
    bench(),
    [
      { pypi: { package: `--index-url http://127.0.0.1:${index.port}/`, repo: null } },
      { pypi: { package: 'nothing-like-it', repo: null } },
    ],
    'print("user code")',
  );
  bench().source.offer(attempt);
  await expect.poll(() => index.isAsked(), { timeout: 60_000 }).toBe(true);

  bench().source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'cancelled_by_user' });

  expect((await bench().source.reported(attempt.attemptId, 'ended')).outcome).toMatchObject({
    kind: 'stopped',
  });
  expect(
    bench()
      .census()
      .filter((line) => / uv | pip /.test(line)),
  ).toEqual([]);
});

async function runOne(libraries: readonly LibraryDocument[], script = show(loadedByAll)): Promise<string[]> {
  const attempt = aTaskWith(bench(), libraries, script);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'ended');
  return printed(bench(), attempt);
}

function baseZygote(): number {
  const lines = bench()
    .census()
    .filter((line) => !line.includes('/libraries/') && line.includes('headrace_runtime.zygote'));
  const pids = lines.map((line) => Number(line.split(' ')[0]));
  return pids.find((pid) => parentOf(pid) === bench().hostPid()) ?? 0;
}

/** Pids of zygotes that an environment's own interpreter runs; their spare children look alike. */
function zygotesOfEnvironments(): number[] {
  const lines = bench()
    .census()
    .filter((line) => line.includes('/libraries/') && line.includes('headrace_runtime.zygote'));
  const pids = lines.map((line) => Number(line.split(' ')[0]));
  return pids.filter((pid) => parentOf(pid) === bench().hostPid());
}

function parentOf(pid: number): number {
  return Number(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1]);
}

/** Takes connections and never answers. */
async function startSilentServer() {
  let asked = false;
  const server = net.createServer((socket) => {
    asked = true;
    socket.on('error', () => undefined);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, isAsked: () => asked };
}

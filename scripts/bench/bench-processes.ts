/**
 * Python tasks, a process each, on a warm host without Spark: chain, fan-out, many runs, first line; beside bare
 * Pythons and bare forks of the same run. Once for each of three zygotes: the figures hang on what it has imported.
 */
import { preimportDefault } from '@headrace/worker';
import { readRuntime, timeBareForks, timeBarePythons } from './baselines.ts';
import { measureFloor, printFloor } from './bench-server.ts';
import { type Script, type TaskBench, withTaskBench } from './real-tasks.ts';
import { chainOf, fanOf } from './sample-jobs.ts';
import { asRatio, inMs, median, printFigure, printRow, repeat, timed } from './statistics.ts';

const slots = 8;
const chainLength = 40;
const fanWidth = 100;
const runsAtOnce = 50;
const warmUps = 3;
const turns = 5;
const firstLines = 15;

interface Targets {
  readonly chainMs: number;
  /** Against so many bare Pythons. */
  readonly chainRatio: number;
  readonly fanMs: number;
  readonly manyMs: number;
  readonly firstLineMs: number;
}

const light: Targets = { chainMs: 300, chainRatio: 0.6, fanMs: 400, manyMs: 250, firstLineMs: 10 };
const heavy: Targets = { chainMs: 600, chainRatio: 1.1, fanMs: 800, manyMs: 500, firstLineMs: 15 };
const notebookFirstLineMs = 250;

const zygotes: readonly { what: string; preimport: readonly string[]; targets: Targets }[] = [
  { what: 'a light zygote', preimport: [], targets: light },
  { what: 'as shipped: pyspark in the zygote', preimport: preimportDefault, targets: heavy },
  { what: 'pyspark and pandas in the zygote', preimport: [...preimportDefault, 'pandas'], targets: heavy },
];

export async function benchProcesses(): Promise<void> {
  for (const { what, preimport, targets } of zygotes) {
    await withTaskBench({ slots, preimport }, async (bench) => {
      console.log(`\n${what}`);
      printFloor(await measureFloor(bench));
      await measureRuns(bench, preimport, targets);
      await measureFirstLines(bench, targets);
    });
  }
}

async function measureRuns(bench: TaskBench, preimport: readonly string[], targets: Targets): Promise<void> {
  const runtime = readRuntime();
  const chain = () => bench.timeRuns([chainOf(chainLength)]);
  const fan = () => bench.timeRuns([fanOf(fanWidth)]);
  const many = () => bench.timeRuns(Array.from({ length: runsAtOnce }, () => chainOf(1)));
  await repeat(warmUps, async () => (await chain()) + (await fan()) + (await many()));

  const chains: number[] = [];
  const fans: number[] = [];
  const manies: number[] = [];
  const pythons: number[] = [];
  const forks: number[] = [];
  // Turn by turn: the load of a shared machine then meets all alike.
  for (let turn = 0; turn < turns; turn++) {
    chains.push(await chain(), await chain());
    pythons.push(timeBarePythons(runtime, chainLength));
    fans.push(await fan());
    manies.push(await many());
    forks.push(timeBareForks(runtime, chainLength, preimport));
  }
  const bare = { value: median(pythons), name: `${chainLength} bare Pythons` };
  const value = median(chains);
  printRow(`${chainLength} bare \`python -I -S -c pass\``, inMs(bare.value), '');
  printRow(`${chainLength} bare forks of what the zygote has imported`, inMs(median(forks)), '');
  printFigure({
    what: `chain of ${chainLength}`,
    value,
    target: targets.chainMs,
    inUnits: inMs,
    floor: bare,
  });
  const ratio = { value: value / bare.value, target: targets.chainRatio, inUnits: asRatio };
  printFigure({ what: `chain of ${chainLength} against bare Pythons`, ...ratio });
  const fanOut = { value: median(fans), target: targets.fanMs, inUnits: inMs, floor: bare };
  printFigure({ what: `root, ${fanWidth}, join`, ...fanOut });
  const atOnce = { value: median(manies), target: targets.manyMs, inUnits: inMs, floor: bare };
  printFigure({ what: `${runsAtOnce} runs of one task at once`, ...atOnce });
}

async function measureFirstLines(bench: TaskBench, targets: Targets): Promise<void> {
  const kinds: readonly { what: string; script: Script; target: number }[] = [
    { what: 'Python file', script: 'file', target: targets.firstLineMs },
    { what: 'notebook', script: 'notebook', target: notebookFirstLineMs },
  ];
  for (const { what, script, target } of kinds) {
    const jobId = await bench.makeJob(script);
    await repeat(warmUps, () => bench.timeFirstLine(jobId));
    const pythons: number[] = [];
    const lines = await repeat(firstLines, async () => {
      pythons.push(await timed(async () => timeBarePythons(readRuntime(), 1)));
      return await bench.timeFirstLine(jobId);
    });
    const floor = { value: median(pythons), name: 'a bare Python' };
    const figure = { value: median(lines), target, inUnits: inMs, floor };
    printFigure({ what: `run-now to the first line of a ${what}`, ...figure });
  }
}

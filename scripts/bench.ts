/**
 * `npm run bench [-- NAME]`: medians, the machine and its load, and what bounds each number, measured in the same run.
 */
import { benchEngine } from './bench/bench-engine.ts';
import { benchIdle } from './bench/bench-idle.ts';
import { benchProcesses } from './bench/bench-processes.ts';
import { benchSpark } from './bench/bench-spark.ts';
import { benchStart } from './bench/bench-start.ts';
import { describeLoad, describeMachine } from './bench/statistics.ts';

const parts = {
  engine: { title: 'Engine alone (hosts in memory)', run: benchEngine },
  processes: { title: 'Real processes, warm host, without Spark', run: benchProcesses },
  spark: { title: 'Spark on a warm host', run: benchSpark },
  start: { title: 'headrace up and down', run: benchStart },
  idle: { title: 'Idle', run: benchIdle },
};

const [wanted] = process.argv.slice(2);
const chosen = Object.entries(parts).filter(([name]) => wanted === undefined || wanted === name);
if (chosen.length === 0) {
  console.error(`no benchmark is named ${wanted}; there are: ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
console.log(describeMachine());
for (const [name, { title, run }] of chosen) {
  console.log(`\n${title} (${name}; ${describeLoad()})`);
  await run();
}

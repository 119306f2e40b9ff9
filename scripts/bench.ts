/**
 * `npm run bench [engine|processes]`: medians, the machine, and what bounds each number, measured in the same run.
 */
import { benchEngine } from './bench/bench-engine.ts';
import { benchProcesses } from './bench/bench-processes.ts';
import { describeMachine } from './bench/statistics.ts';

const parts = {
  engine: { title: 'Engine alone (hosts in memory)', run: benchEngine },
  processes: { title: 'Real processes, warm host, without Spark', run: benchProcesses },
};

const [wanted] = process.argv.slice(2);
console.log(describeMachine());
for (const [name, { title, run }] of Object.entries(parts)) {
  if (wanted !== undefined && wanted !== name) continue;
  console.log(`\n${title}`);
  await run();
}

/**
 * `npm run soak -- --tasks N --clusters M`: so many tasks, of which each eleventh counts with Spark, over so many
 * clusters that start and end; then what of memory, files, threads, gateways and processes has grown or stayed.
 */
import { parseArgs } from 'node:util';
import { withInstalledServer } from './bench/installed-server.ts';
import { describeLoad, describeMachine } from './bench/statistics.ts';
import { formatSoak } from './soak/report.ts';
import { runSoak } from './soak/run-soak.ts';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '5000' },
    clusters: { type: 'string', default: '20' },
    /** Clusters at a time beside the one that is measured: each has a JVM of up to a gigabyte. */
    lanes: { type: 'string', default: '2' },
  },
});
const plan = {
  tasks: toNumber(values.tasks, '--tasks'),
  clusters: toNumber(values.clusters, '--clusters'),
  lanes: toNumber(values.lanes, '--lanes'),
};

console.log(`${describeMachine()}\n${describeLoad()}`);
await withInstalledServer(async (server) => {
  const { lines, isGood } = formatSoak(await runSoak(server, plan));
  console.log(lines.join('\n'));
  if (!isGood) process.exitCode = 1;
});

function toNumber(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`${name}: expected a number above 0, got '${text}'`);
  process.exit(2);
}

/** `npm run bench`: medians, the machine, and what bounds each number, measured in the same run. */
import { benchEngine } from './bench/bench-engine.ts';
import { describeMachine } from './bench/statistics.ts';

console.log(describeMachine());
console.log('\nEngine alone (hosts in memory)');
await benchEngine();

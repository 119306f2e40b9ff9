/**
 * `npm run simulate -- --seed N --histories M [--history I]`: seeded histories of servers and workers that crash, over
 * the real core. The last line is `N passed, M failed`; a failed history is played again, with its trace, by its index.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { playHistory } from '../packages/core/src/simulation/history.ts';
import { simulate, type Tally } from '../packages/core/src/simulation/simulate.ts';

interface Share {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** Below it a second thread takes longer to start than it saves. */
const perThreadMin = 2_000;
/** So often it is told how far it is. */
const shareSize = 5_000;

if (isMainThread) await main();
else work();

async function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      histories: { type: 'string', default: '10000' },
      history: { type: 'string' },
    },
  });
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : toCount(values.seed, '--seed');
  if (values.history !== undefined) return replay(seed, toCount(values.history, '--history'));
  await simulateAll(seed, toCount(values.histories, '--histories'));
}

function toCount(text: string, name: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  console.error(`${name}: expected a whole number, got '${text}'`);
  process.exit(2);
}

function replay(seed: number, index: number) {
  const { broken } = playHistory({ seed, index, trace: console.log });
  console.log(broken === null ? 'every promise was kept' : `BROKEN: ${broken}`);
  report(seed, broken === null ? 1 : 0, broken === null ? 0 : 1);
}

async function simulateAll(seed: number, histories: number) {
  const threads = Math.max(1, Math.min(availableParallelism(), Math.floor(histories / perThreadMin)));
  console.log(`seed ${seed}: ${histories} histories on ${threads} thread${threads > 1 ? 's' : ''}`);
  const startedAtMs = performance.now();
  const tallies: Tally[] = [];
  const tell = (tally: Tally) => {
    tallies.push(tally);
    for (const { index, broken } of tally.failures) {
      console.log(`history ${index}: ${broken}\n  npm run simulate -- --seed ${seed} --history ${index}`);
    }
    const done = sum(tallies, 'passed') + sum(tallies, 'failed');
    if (done % 100_000 < shareSize && done >= 100_000) console.log(`${done} played`);
  };
  const shares = sharesOf(seed, histories);
  if (threads === 1) for (const share of shares) tell(simulate(share));
  else await Promise.all(Array.from({ length: threads }, () => runThread(shares, tell)));

  const seconds = (performance.now() - startedAtMs) / 1_000;
  const rate = Math.round(histories / seconds);
  console.log(
    `seed ${seed}: ${sum(tallies, 'runs')} runs in ${sum(tallies, 'steps')} steps, ${seconds.toFixed(1)} s, ${rate} histories a second`,
  );
  report(seed, sum(tallies, 'passed'), sum(tallies, 'failed'));
}

function sharesOf(seed: number, histories: number): Share[] {
  const count = Math.ceil(histories / shareSize);
  return Array.from({ length: count }, (_, at) => ({
    seed,
    from: at * shareSize,
    to: Math.min(histories, (at + 1) * shareSize),
  }));
}

/** Takes shares until none is left. */
function runThread(shares: Share[], tell: (tally: Tally) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: 'simulate' });
    const next = () => {
      const share = shares.shift();
      if (share) thread.postMessage(share);
      else thread.terminate().then(() => resolve(), reject);
    };
    thread.on('error', reject);
    thread.on('message', (tally: Tally) => {
      tell(tally);
      next();
    });
    next();
  });
}

function work() {
  if (workerData !== 'simulate') throw new Error('bug: not started as a thread of a simulation');
  parentPort?.on('message', (share: Share) => parentPort?.postMessage(simulate(share)));
}

function sum(tallies: readonly Tally[], name: 'passed' | 'failed' | 'runs' | 'steps') {
  return tallies.reduce((total, tally) => total + tally[name], 0);
}

function report(seed: number, passed: number, failed: number) {
  if (failed > 0) console.log(`seed ${seed} has failures: the same seed gives the same histories`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

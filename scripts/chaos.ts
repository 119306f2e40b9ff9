/**
 * `npm run chaos -- --minutes M --seed N`: servers, workers and PostgreSQL are killed, frozen, cut off and restarted at
 * random while real tasks run; afterwards every promise of docs/guarantees.md must have been kept.
 */
import { parseArgs } from 'node:util';
import { formatReport } from './chaos/report.ts';
import { runChaos } from './chaos/run-chaos.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const minutes = toNumber(values.minutes, '--minutes');
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : toNumber(values.seed, '--seed');

const result = await runChaos({
  seed,
  durationMs: minutes * 60_000,
  say: values.quiet ? () => {} : console.log,
});
console.log(formatReport(seed, result));
const isClean = result.violations.length === 0;
if (isClean && !values.keep) result.removeFolder();
process.exit(isClean ? 0 : 1);

function toNumber(text: string, name: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  console.error(`${name}: expected a number, got '${text}'`);
  process.exit(2);
}

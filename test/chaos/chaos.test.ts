/** One minute of `npm run chaos`, with another seed each day. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toLives } from '../../scripts/chaos/diary.ts';
import { formatReport } from '../../scripts/chaos/report.ts';
import { runChaos } from '../../scripts/chaos/run-chaos.ts';

const dayMs = 24 * 60 * 60_000;
const seed = Math.floor(Date.now() / dayMs);
const durationMs = 60_000;
/** Starting, the end of all runs, the census: all have deadlines of their own below this. */
const deadlineMs = 1_800_000;

test.skipIf(!existsSync('/proc/self/stat'))(
  'a minute of chaos breaks no promise',
  async () => {
    console.log(`npm run chaos -- --minutes 1 --seed ${seed}`);
    const result = await runChaos({ seed, durationMs, say: () => {} });
    const report = formatReport(seed, result);
    console.log(report);

    expect(result.violations, report).toEqual([]);
    // That it was a round worth its name.
    expect(toLives(result.evidence.diary).length).toBeGreaterThan(20);
    expect(result.faults.size).toBeGreaterThan(5);
    result.removeFolder();
  },
  deadlineMs,
);

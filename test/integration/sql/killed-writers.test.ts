/** One of the kills of `npm run sql-kills`, which plays all of them; each takes a minute. */
import { expect, test } from 'vitest';
import { readRuntime } from '../../../scripts/bench/baselines.ts';
import { withInstalledServer } from '../../../scripts/bench/installed-server.ts';
import { type PlannedKill, playKills } from '../../../scripts/sql-kills/walk.ts';

const names = ['create-or-replace-as', 'add-column', 'rename'];
const kills: readonly PlannedKill[] = [{ names, victim: 'jvm', moment: 'committed' }];

test.skipIf(readRuntime().spark === null)(
  'a statement that writes leaves whole tables and true metadata, also when its driver is killed under it',
  async () => {
    const said: string[] = [];
    await withInstalledServer(async (server) => {
      const report = await playKills(server, { kills, say: (line) => said.push(line) });
      expect(report, said.join('\n')).toEqual({ kills: kills.length, violations: 0 });
    });
  },
  600_000,
);

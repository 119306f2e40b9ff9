/** Three of the kills of `npm run sql-kills`, which plays all of them: one for each way in which a process may be missed. */
import { expect, test } from 'vitest';
import { readRuntime } from '../../../scripts/bench/baselines.ts';
import { withInstalledServer } from '../../../scripts/bench/installed-server.ts';
import { type PlannedKill, playKills } from '../../../scripts/sql-kills/walk.ts';

const kills: readonly PlannedKill[] = [
  { name: 'create-or-replace-as', victim: 'server', moment: 'committed' },
  { name: 'rename', victim: 'server', moment: 0.2 },
  { name: 'merge-with-evolution', victim: 'jvm', moment: 'committed' },
];

test.skipIf(readRuntime().spark === null)(
  'a statement that writes leaves whole tables and true metadata, whoever is killed under it',
  async () => {
    const said: string[] = [];
    await withInstalledServer(async (server) => {
      const report = await playKills(server, { kills, say: (line) => said.push(line) });
      expect(report, said.join('\n')).toEqual({ kills: kills.length, violations: 0 });
    });
  },
  600_000,
);

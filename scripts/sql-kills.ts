/**
 * `npm run sql-kills`: each statement that writes runs on a real warehouse while the server, the driver, the endpoint or its
 * host is killed. `--only merge,drop`, `--kill server,jvm`, `--moments 0.3,committed` choose among them; `--together` kills
 * once under ten at a time.
 */
import { parseArgs } from 'node:util';
import { withInstalledServer } from './bench/installed-server.ts';
import type { Moment } from './sql-kills/trial.ts';
import { victims } from './sql-kills/victims.ts';
import { planKills, planKillsTogether, playKills } from './sql-kills/walk.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    kill: { type: 'string', default: victims.join(',') },
    together: { type: 'boolean', default: false },
    moments: { type: 'string', default: '0.2,committed' },
  },
});
const plan = values.together ? planKillsTogether : planKills;
const kills = plan({
  names: splitList(values.only),
  victims: splitList(values.kill),
  moments: splitList(values.moments).map(toMoment),
});
if (kills.length === 0) throw new Error('nothing to do: see the head of this file for what can be chosen');

await withInstalledServer(async (server) => {
  const report = await playKills(server, { kills, say: console.log });
  console.log(`${report.kills} kills, ${report.violations} violations`);
  if (report.violations > 0) process.exitCode = 1;
});

function splitList(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function toMoment(text: string): Moment {
  const share = Number(text);
  if (text === 'committed' || (Number.isFinite(share) && share >= 0))
    return text === 'committed' ? text : share;
  throw new Error(`--moments: expected shares of a statement's time, or 'committed', got '${text}'`);
}

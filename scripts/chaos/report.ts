/** What a round was like, in a table, and what it broke, with all that is known of it. */
import { toLives } from './diary.ts';
import type { Incident } from './incident-log.ts';
import type { ChaosResult } from './run-chaos.ts';

/** What may have to do with it. */
const aroundS = { before: 30, after: 10 };
const violationsMax = 20;
const checksWithoutTimeMax = 40;

export function formatReport(seed: number, result: ChaosResult): string {
  const { violations } = result;
  const told = violations.slice(0, violationsMax).map((violation) => {
    const history = violation.runId === null ? [] : (result.histories.get(violation.runId) ?? []);
    const lines = history.map(({ at_ms, kind, task_key, attempt_id, detail }) =>
      [
        '   ',
        clockTime(at_ms),
        kind,
        task_key ?? '',
        attempt_id ?? '',
        detail === null ? '' : JSON.stringify(detail),
      ].join(' '),
    );
    const near = findNear(result.incidents, violation.atS, history);
    return [
      `BROKEN (${violation.check}): ${violation.message}`,
      ...(lines.length === 0 ? [] : ['  history of the run:', ...lines]),
      ...(near.length === 0 ? [] : ['  what was done around that time:', ...near.map(formatIncident)]),
    ].join('\n');
  });
  if (violations.length > violationsMax) told.push(`… and ${violations.length - violationsMax} more`);
  return [...told, formatTable(seed, result)].join('\n\n');
}

function findNear(
  incidents: readonly Incident[],
  atS: number | null,
  history: readonly { readonly at_ms: number }[],
): readonly Incident[] {
  if (atS !== null)
    return incidents.filter((near) => near.atS > atS - aroundS.before && near.atS < atS + aroundS.after);
  const [first, last] = [history[0], history.at(-1)];
  if (first === undefined || last === undefined) return [];
  return incidents
    .filter(
      ({ wallMs }) =>
        wallMs > first.at_ms - aroundS.before * 1_000 && wallMs < last.at_ms + aroundS.after * 1_000,
    )
    .slice(0, checksWithoutTimeMax);
}

const formatIncident = ({ atS, wallMs, kind, what }: Incident) =>
  `    ${clockTime(wallMs)} (${atS.toFixed(3)}) ${kind}: ${what}`;

const clockTime = (ms: number) => new Date(ms).toISOString().slice(11, 23);

function formatTable(seed: number, result: ChaosResult): string {
  const { evidence, faults, waits, violations, settledMs, repeats, folder } = result;
  const lives = toLives(evidence.diary);
  const inflicted = [...faults].toSorted(([one], [other]) => one.localeCompare(other));
  const cut = lives.filter(({ hasEnded, hasFailed }) => !hasEnded && !hasFailed).length;
  const rows: [string, string | number][] = [
    ...inflicted.map(([kind, count]): [string, number] => [kind, count]),
    ['faults', inflicted.reduce((sum, [, count]) => sum + count, 0)],
    ['runs', evidence.runs.length],
    ['attempts that began', lives.length],
    ['of these cut short', cut],
    ['attempts lost', evidence.attempts.filter(({ result: end }) => end === 'internal_error').length],
    ['retries', evidence.attempts.filter(({ attempt }) => attempt > 0).length],
    ['repairs', evidence.repairs.size],
    ['requests sent again', repeats],
    [
      'longest wait of a run',
      waits === null ? '-' : `${(waits.longestMs / 1_000).toFixed(1)} s (run ${waits.runId})`,
    ],
    ['all ended after', `${(settledMs / 1_000).toFixed(1)} s of peace`],
    ['broken promises', violations.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `seed ${seed}: ${violations.length === 0 ? 'every promise was kept' : `BROKEN, see ${folder}`}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
  ].join('\n');
}

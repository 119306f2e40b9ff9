// A job's schedule: whether it can be read, exists in time and ever fires.

import { nextFireAfter, parseCron, ZoneOffsets } from '@headrace/core';
import { findNearest } from '../find-nearest.ts';
import { at as nodeAt, textAt } from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import type { ResolvedJob } from '../resolve/resolved-bundle.ts';

export function findScheduleProblems(job: ResolvedJob): Problem[] {
  const cronNode = nodeAt(job.node, 'schedule', 'quartz_cron_expression');
  const zoneNode = nodeAt(job.node, 'schedule', 'timezone_id');
  const expression = textAt(cronNode);
  const zoneName = textAt(zoneNode);
  const zone = ZoneOffsets.of(zoneName ?? 'UTC');
  const problems: Problem[] = [];
  if (zoneNode !== undefined && zoneName !== null && zone === null) {
    const message = `job ${job.key}: there is no time zone '${zoneName}'`;
    problems.push(errorAt(zoneNode.at, message, zoneCure(zoneName)));
  }
  if (cronNode === undefined || expression === null) return problems;
  const cron = parseCron(expression);
  if (typeof cron === 'string') return [...problems, cronProblem(job.key, cronNode.at, cron)];
  for (const warning of cron.warnings) {
    const cure = 'check when it fires next, and write the days out';
    problems.push(warningAt(cronNode.at, `job ${job.key}: ${warning}`, cure));
  }
  if (zone !== null && nextFireAfter(cron, zone, 0) === null) {
    const message = `job ${job.key}: '${expression}' never fires: no year has such a day`;
    problems.push(errorAt(cronNode.at, message, 'choose a day that the month has'));
  }
  return problems;
}

/** What the parser says of five fields ends in the Quartz form of them. */
function cronProblem(key: string, at: ResolvedJob['at'], text: string): Problem {
  const [message = text, quartz] = text.split(': perhaps ');
  const cure =
    quartz === undefined
      ? 'write seconds, minutes, hours, day of month, month, day of week: 0 0 2 * * ?'
      : `write ${quartz}`;
  return errorAt(at, `job ${key}: ${message}`, cure);
}

function zoneCure(name: string): string {
  const nearest = findNearest(name, Intl.supportedValuesOf('timeZone'));
  return nearest === null ? 'write one such as Europe/Paris or UTC' : `did you mean '${nearest}'?`;
}

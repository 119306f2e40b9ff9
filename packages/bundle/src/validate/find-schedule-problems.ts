// A job's schedule: whether it can be read, exists in time and ever fires.

import { nextFireAfter, parseCron, ZoneOffsets } from '@headrace/core';
import { at as nodeAt, textAt } from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import type { ResolvedJob } from '../resolve/resolve-bundle.ts';

export function findScheduleProblems(job: ResolvedJob): Problem[] {
  const cronNode = nodeAt(job.node, 'schedule', 'quartz_cron_expression');
  const zoneNode = nodeAt(job.node, 'schedule', 'timezone_id');
  const expression = textAt(cronNode);
  const zoneName = textAt(zoneNode);
  const zone = ZoneOffsets.of(zoneName ?? 'UTC');
  const problems: Problem[] = [];
  if (zoneNode !== undefined && zone === null) {
    const cure = 'write one such as Europe/Paris or UTC';
    problems.push(errorAt(zoneNode.at, `job ${job.key}: there is no time zone '${zoneName}'; ${cure}`));
  }
  if (cronNode === undefined || expression === null) return problems;
  const cron = parseCron(expression);
  if (typeof cron === 'string') return [...problems, errorAt(cronNode.at, `job ${job.key}: ${cron}`)];
  for (const warning of cron.warnings) problems.push(warningAt(cronNode.at, `job ${job.key}: ${warning}`));
  if (zone !== null && nextFireAfter(cron, zone, 0) === null) {
    const message = `job ${job.key}: '${expression}' never fires: no year has such a day`;
    problems.push(errorAt(cronNode.at, message));
  }
  return problems;
}

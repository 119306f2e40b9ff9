// The schedule of a job or an alert: whether it can be read, exists in time and ever fires.

import { nextFireAfter, parseCron, ZoneOffsets } from '@headrace/core';
import { findNearest } from '../find-nearest.ts';
import { at as nodeAt, textAt } from '../nodes.ts';
import { kindOf } from '../plan/kinds/kinds.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';
import type { ResolvedResource } from '../resolve/resolved-bundle.ts';
import type { ResourceKind } from '../resolve/resource-kinds.ts';

/** Where a kind keeps the expression of its schedule. */
const EXPRESSIONS: Readonly<Partial<Record<ResourceKind, string>>> = {
  jobs: 'quartz_cron_expression',
  alerts: 'quartz_cron_schedule',
};

export function findScheduleProblems({ kind, key, node }: ResolvedResource): Problem[] {
  const field = EXPRESSIONS[kind];
  if (field === undefined) return [];
  const owner = `${kindOf(kind).noun} ${key}`;
  const cronNode = nodeAt(node, 'schedule', field);
  const zoneNode = nodeAt(node, 'schedule', 'timezone_id');
  const expression = textAt(cronNode);
  const zoneName = textAt(zoneNode);
  const zone = ZoneOffsets.of(zoneName ?? 'UTC');
  const problems: Problem[] = [];
  if (zoneNode !== undefined && zoneName !== null && zone === null) {
    const message = `${owner}: there is no time zone '${zoneName}'`;
    problems.push(errorAt(zoneNode.at, message, zoneCure(zoneName)));
  }
  if (cronNode === undefined || expression === null) return problems;
  const cron = parseCron(expression);
  if (typeof cron === 'string') return [...problems, cronProblem(owner, cronNode.at, cron)];
  for (const warning of cron.warnings) {
    const cure = 'check when it fires next, and write the days out';
    problems.push(warningAt(cronNode.at, `${owner}: ${warning}`, cure));
  }
  if (zone !== null && nextFireAfter(cron, zone, 0) === null) {
    const message = `${owner}: '${expression}' never fires: no year has such a day`;
    problems.push(errorAt(cronNode.at, message, 'choose a day that the month has'));
  }
  return problems;
}

/** What the parser says of five fields ends in the Quartz form of them. */
function cronProblem(owner: string, at: Position, text: string): Problem {
  const [message = text, quartz] = text.split(': perhaps ');
  const cure =
    quartz === undefined
      ? 'write seconds, minutes, hours, day of month, month, day of week: 0 0 2 * * ?'
      : `write ${quartz}`;
  return errorAt(at, `${owner}: ${message}`, cure);
}

function zoneCure(name: string): string {
  const nearest = findNearest(name, Intl.supportedValuesOf('timeZone'));
  return nearest === null ? 'write one such as Europe/Paris or UTC' : `did you mean '${nearest}'?`;
}

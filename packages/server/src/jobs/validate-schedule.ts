/** Whether a schedule can be read, exists in time, and ever fires. */
import { nextFireAfter, parseCron, quoteText, ZoneOffsets } from '@headrace/core';

export function findScheduleProblems({
  quartz_cron_expression: expression,
  timezone_id: zoneName,
}: {
  readonly quartz_cron_expression: string;
  readonly timezone_id: string;
}): string[] {
  const problems: string[] = [];
  const cron = parseCron(expression);
  const zone = ZoneOffsets.of(zoneName);
  if (typeof cron === 'string') problems.push(`schedule.quartz_cron_expression: ${cron}`);
  if (zone === null) problems.push('schedule.timezone_id: expected a time zone such as UTC or Europe/Berlin');
  if (typeof cron === 'string' || zone === null) return problems;
  // From the beginning: what has ended is no mistake, and its job can still be saved.
  if (nextFireAfter(cron, zone, 0) === null)
    problems.push(
      `schedule.quartz_cron_expression: ${quoteText(expression)} never fires: no year has such a day`,
    );
  return problems;
}

import type { JobDocument } from '@headrace/api';

/** The schedule as it is written, and whether it does anything: this version stores schedules and does not fire them. */
export function scheduleText(settings: JobDocument['settings']): string | null {
  const schedule = settings?.schedule;
  if (!schedule) return null;
  const effect = schedule.pause_status === 'PAUSED' ? 'paused' : 'not fired by this version';
  return `${schedule.quartz_cron_expression} (${schedule.timezone_id}), ${effect}`;
}

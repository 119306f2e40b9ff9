import { expect, test } from 'vitest';
import { scheduleText } from './schedule-text.ts';

const schedule = { quartz_cron_expression: '0 30 4 * * ?', timezone_id: 'UTC' };

test('a schedule says whether it does anything', () => {
  expect(scheduleText({ schedule: { ...schedule, pause_status: 'PAUSED' } })).toBe(
    '0 30 4 * * ? (UTC), paused',
  );
  expect(scheduleText({ schedule })).toBe('0 30 4 * * ? (UTC), not fired by this version');
  expect(scheduleText({})).toBe(null);
});

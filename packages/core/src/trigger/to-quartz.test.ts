import { describe, expect, test } from 'vitest';
import { toQuartz } from './to-quartz.ts';

describe('an expression', () => {
  test.each([
    ['0 */6 * * *', '0 0 */6 * * ?'],
    ['0 9 * * *', '0 0 9 * * ?'],
    ['30 6 * * 1-5', '0 30 6 ? * 2,3,4,5,6'],
    ['0 0 * * 0,7', '0 0 0 ? * 1,1'],
    ['0 0 * * 5-7', '0 0 0 ? * 1,6,7'],
    ['0 0 * * */3', '0 0 0 ? * 1,4,7'],
    ['0 0 1,15 * *', '0 0 0 1,15 * ?'],
    ['0 0 * * mon-fri', '0 0 0 ? * mon-fri'],
    ['0 0 9 * * ?', '0 0 9 * * ?'],
    ['0 0 9 * * *', '0 0 9 * * ?'],
    ['0 0 9 * * MON', '0 0 9 ? * MON'],
  ])('%s is %s for Quartz', (written, expression) => {
    expect(toQuartz(written)).toEqual({ kind: 'quartz', expression });
  });

  test.each([
    ['61 * * * *', "'61 * * * *': the field for the minutes cannot be read: '61' is not within 0–59"],
    ['0 0 1 * 1', "'0 0 1 * 1': it names days of the month and days of the week"],
    ['0 0 * * 8', "'0 0 * * 8': the field for the day of week cannot be read: '8' is not within 0–7"],
    ['* *', 'it has 2 fields'],
  ])('%s is refused with the reason', (written, message) => {
    const read = toQuartz(written);
    expect(read.kind === 'problem' ? read.message : read).toContain(message);
  });
});

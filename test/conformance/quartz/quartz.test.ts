/** Fire times against those that Quartz 2.3.2 itself told: record.ts asked it. */
import fs from 'node:fs';
import zlib from 'node:zlib';
import { nextFireAfter, parseCron, ZoneOffsets } from '@headrace/core';
import { expect, test } from 'vitest';
import type { CronCase } from './cases.ts';
import { answersFile, recordedCases } from './recorded.ts';

const timesAsked = 5;

test('every recorded expression fires when Quartz fires it, in every zone and around every clock change', () => {
  const cases = recordedCases();
  const answers = zlib.gunzipSync(fs.readFileSync(answersFile)).toString().split('\n').slice(0, -1);

  const different = cases.flatMap((each, index) => {
    const [ours, theirs] = [answer(each), answers[index]];
    return ours === theirs ? [] : [{ ...each, ours, theirs }];
  });

  expect(answers).toHaveLength(cases.length);
  expect(different).toEqual([]);
  expect(answers.filter((each) => each !== '' && each !== 'INVALID').length).toBeGreaterThan(10_000);
});

function answer({ expression, zone: name, afterMs }: CronCase): string {
  const cron = parseCron(expression);
  const zone = ZoneOffsets.of(name);
  if (typeof cron === 'string' || zone === null) return 'INVALID';
  const times: number[] = [];
  for (let after: number | null = afterMs; times.length < timesAsked; times.push(after)) {
    after = nextFireAfter(cron, zone, after);
    if (after === null) break;
  }
  return times.join(',');
}

import { describe, expect, test } from 'vitest';
import { nextFireAfter } from './next-fire.ts';
import { parseCron } from './parse-cron.ts';
import { ZoneOffsets } from './zone-offsets.ts';

function firesOf(expression: string, after: string, zone = 'UTC', count = 3): string[] {
  const cron = parseCron(expression);
  const offsets = ZoneOffsets.of(zone);
  if (typeof cron === 'string' || !offsets) throw new Error(`${cron} in ${zone}`);
  const fires: string[] = [];
  for (let at = nextFireAfter(cron, offsets, Date.parse(after)); at !== null && fires.length < count; ) {
    fires.push(new Date(at).toISOString().replace('.000Z', ''));
    at = nextFireAfter(cron, offsets, at);
  }
  return fires;
}

test('the moment itself does not count, and parts of a second do not delay', () => {
  expect(firesOf('0 0 2 * * ?', '2026-01-01T02:00:00Z', 'UTC', 1)).toEqual(['2026-01-02T02:00:00']);
  expect(firesOf('0 0 2 * * ?', '2026-01-01T01:59:59.999Z', 'UTC', 1)).toEqual(['2026-01-01T02:00:00']);
});

describe('a change of the clock', () => {
  test('that jumps over a time leaves it out that day', () => {
    expect(firesOf('0 30 2 * * ?', '2026-03-28T00:00:00Z', 'Europe/Berlin')).toEqual([
      '2026-03-28T01:30:00',
      '2026-03-30T00:30:00',
      '2026-03-31T00:30:00',
    ]);
  });

  test('that repeats a time fires once, at the later moment', () => {
    expect(firesOf('0 30 2 * * ?', '2026-10-24T12:00:00Z', 'Europe/Berlin', 2)).toEqual([
      '2026-10-25T01:30:00',
      '2026-10-26T01:30:00',
    ]);
  });

  test('at midnight leaves the midnight out', () => {
    expect(firesOf('0 0 0 * * ?', '2026-03-28T12:00:00Z', 'Asia/Beirut', 1)).toEqual(['2026-03-29T21:00:00']);
  });
});

test('days that a month lacks are left out', () => {
  expect(firesOf('0 0 0 31 * ?', '2026-01-31T12:00:00Z')).toEqual([
    '2026-03-31T00:00:00',
    '2026-05-31T00:00:00',
    '2026-07-31T00:00:00',
  ]);
  expect(firesOf('0 0 0 29 2 ?', '2026-01-01T00:00:00Z', 'UTC', 2)).toEqual([
    '2028-02-29T00:00:00',
    '2032-02-29T00:00:00',
  ]);
});

test('31W of April is the 30th where the first of May is a Saturday', () => {
  expect(firesOf('0 0 0 31W APR ?', '2026-01-01T00:00:00Z', 'UTC', 1)).toEqual(['2027-04-30T00:00:00']);
});

test('what names no day that exists never fires', () => {
  expect(firesOf('0 0 0 31 2 ?', '2026-01-01T00:00:00Z')).toEqual([]);
  expect(firesOf('0 0 0 1 1 ? 2020', '2026-01-01T00:00:00Z')).toEqual([]);
});

test('a zone that does not exist is none', () => {
  expect(ZoneOffsets.of('Mars/Olympus')).toBeNull();
});

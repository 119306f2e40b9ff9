import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeHostDeath, noteGuard, wasEndedByGuard } from './host-death.ts';
import { countMemoryKills, hasKilledSince } from './memory-kills.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-kills-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const counters = (text: string) => {
  const file = path.join(folder, 'vmstat');
  fs.writeFileSync(file, text);
  return file;
};

test('memory is blamed where the kernel has counted another kill, and nowhere else', () => {
  const file = counters('nr_free_pages 7\noom_kill 4\n');
  const told = (wasMemory: boolean | null) => describeHostDeath(7, { folder, wasMemory, wasGuard: false });

  expect(countMemoryKills(file)).toBe(4);
  expect([hasKilledSince(3, file), hasKilledSince(4, file), hasKilledSince(null, file)]).toEqual([
    ...[true, false, null],
  ]);
  expect(told(true)).toContain('for lack of memory');
  expect(told(false)).not.toContain('memory');
  expect(told(null)).not.toContain('memory');
});

test('a kernel that does not count leaves it open', () => {
  expect(hasKilledSince(0, counters('nr_free_pages 7\n'))).toBeNull();
  expect(countMemoryKills(path.join(folder, 'none'))).toBeNull();
});

test('the death of a host says what died, what follows, and where to look', () => {
  const told = describeHostDeath(7, {
    ...{ folder: '/state/hosts/a', wasMemory: false, wasGuard: false },
  });

  expect(told).toContain('process 7');
  expect(told).toContain('the task ended with it');
  expect(told).toContain('A retry, or a repair of the run');
  expect(told).toContain('/state/hosts/a/host.log');
});

test('a host that the guard ended says so, and the next one in its folder does not', () => {
  expect(wasEndedByGuard(folder, 7)).toBe(false);
  noteGuard(folder, 7);

  expect([wasEndedByGuard(folder, 7), wasEndedByGuard(folder, 8)]).toEqual([true, false]);
  expect(describeHostDeath(7, { folder, wasMemory: null, wasGuard: true })).toContain(
    'the guard beside it ended',
  );
});

test('a guard that cannot write its note goes on', () => {
  expect(() => noteGuard(path.join(folder, 'none'), 7)).not.toThrow();
});

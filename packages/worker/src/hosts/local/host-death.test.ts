import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeHostDeath, noteEnding } from './host-death.ts';
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
  const told = (wasMemory: boolean | null) => describeHostDeath(7, { folder, wasMemory });

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
    ...{ folder: '/state/hosts/a', wasMemory: false },
  });

  expect(told).toContain('process 7');
  expect(told).toContain('the task ended with it');
  expect(told).toContain('A retry, or a repair of the run');
  expect(told).toContain('/state/hosts/a/host.log');
});

test.each([
  ['guard', 'the guard beside it ended'],
  ['silence', 'lived and answered nothing, so its worker ended it'],
] as const)(
  'a host that was ended by the %s says so, and the next one in its folder does not',
  (ending, words) => {
    const told = (pid: number) => describeHostDeath(pid, { folder, wasMemory: null });
    expect(told(7)).not.toContain(words);

    noteEnding(folder, 7, ending);

    expect(told(7)).toContain(words);
    expect(told(8)).not.toContain(words);
  },
);

test('who ends a host and cannot write a note goes on', () => {
  expect(() => noteEnding(path.join(folder, 'none'), 7, 'guard')).not.toThrow();
});

import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeTaskLimits, readTaskLimitsFacts } from './task-limits.ts';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-hosts-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

async function aHost(key: string, facts: object) {
  await fs.mkdir(path.join(folder, key));
  await fs.writeFile(path.join(folder, key, 'host.json'), JSON.stringify(facts));
}

const told = async () => describeTaskLimits('linux', await readTaskLimitsFacts(folder));

test('limits are those of the host that started last', async () => {
  await aHost('old', { started_at_ms: 1, control_groups: [], control_groups_obstacle: 'they were away' });
  await aHost('new', { started_at_ms: 2, control_groups: ['memory', 'cpu'], control_groups_obstacle: null });
  await fs.mkdir(path.join(folder, 'starting'));

  expect(await told()).toBe(
    'Limits of tasks: a control group of the kernel ends what takes more memory than it may, a watch what takes more disk; processors are shared by weights of control groups (cpu_weight).',
  );
});

test('each controller is told of by itself', async () => {
  await aHost('host', { started_at_ms: 1, control_groups: ['cpu'], control_groups_obstacle: null });

  expect(await told()).toBe(
    'Limits of tasks: a watch ends what takes more memory or disk than it may; processors are shared by weights of control groups (cpu_weight).',
  );
});

test.each([
  [
    'a reason',
    { started_at_ms: 1, control_groups: [], control_groups_obstacle: '/x may not be written' },
    'Control groups are not used: /x may not be written.',
  ],
  ['an earlier release', { started_at_ms: 1 }, 'not used: the host is of an earlier release.'],
])('a host without control groups is told of with %s', async (_, facts, text) => {
  await aHost('host', facts);

  expect(await told()).toContain(text);
});

test('without a host it is not known', async () => {
  expect(await told()).toContain('found out when a host starts: none runs.');
  expect(describeTaskLimits('darwin', null)).toContain('watched on Linux only');
});

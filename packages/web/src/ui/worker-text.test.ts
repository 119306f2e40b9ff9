import { expect, test } from 'vitest';
import { findSilentWorkers, silenceText, workerText } from './worker-text.ts';

test('a worker is told with its machine, as far as it is known', () => {
  const worker = { worker_id: 'ash', hostname: 'rack-4', is_local: false };

  expect(workerText(worker)).toBe('ash on rack-4');
  expect(workerText({ ...worker, hostname: null })).toBe('ash');
  expect(workerText({ ...worker, hostname: null, is_local: true })).toBe('ash (inside a server)');
});

test('only workers that are not heard of are silent, be they elsewhere or inside a server', () => {
  const worker = { slots: 4, running: 1 };
  const silent = findSilentWorkers([
    { ...worker, worker_id: 'well', state: 'live', heard_ms_ago: 2_000 },
    { ...worker, worker_id: 'here', state: 'local', heard_ms_ago: 900 },
    { ...worker, worker_id: 'gone', state: 'signed_off', heard_ms_ago: 90_000 },
    { ...worker, worker_id: 'quiet', state: 'silent', heard_ms_ago: 23_400 },
  ]);

  expect([...silent]).toEqual([['quiet', 23_400]]);
  expect(silenceText(23_400)).toBe('not heard of for 23 s');
});

import { expect, test } from 'vitest';
import { Bell } from './bell.ts';

test('a ring before the wait is not missed', async () => {
  const bell = new Bell();
  const ear = bell.listen('a');

  bell.ring('a');

  await ear.wait(60_000);
  ear.close();
});

test('a ring wakes only those that listen to its name', async () => {
  const bell = new Bell();
  const [a, b] = [bell.listen('a'), bell.listen('b')];
  let isBAwake = false;
  const waitingB = b.wait(60_000).then(() => {
    isBAwake = true;
  });

  const waitingA = a.wait(60_000);
  bell.ring('a');
  await waitingA;

  expect(isBAwake).toBe(false);
  bell.ring('b');
  await waitingB;
});

test('a wait ends with its signal', async () => {
  const ear = new Bell().listen('a');

  await ear.wait(60_000, AbortSignal.abort());
});

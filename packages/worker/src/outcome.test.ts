import { expect, test } from 'vitest';
import { outcomeOf } from './outcome.ts';
import type { ResultDocument } from './protocol.ts';

const exited = { exit_code: 0, signal: null, stopped: false };
const succeeded: ResultDocument = { version: 1, state: 'succeeded' };
const failed: ResultDocument = {
  version: 1,
  state: 'failed',
  failure: { code: 'RUN_EXECUTION_ERROR', message: 'KeyError: 3', trace: 'Traceback' },
};

test('a task that succeeded just before its stop has succeeded', () => {
  const facts = { end: { ...exited, stopped: true }, result: succeeded, isStopRequested: true };

  expect(outcomeOf(facts)).toEqual({ kind: 'succeeded' });
});

test('a task that failed because it was stopped is stopped', () => {
  const end = { exit_code: 1, signal: null, stopped: true };

  expect(outcomeOf({ end, result: failed, isStopRequested: true })).toEqual({ kind: 'stopped' });
});

test('a task that was ended for a limit says which', () => {
  const end = { exit_code: null, signal: 9, stopped: false, limit_message: 'used 3 GB' };

  expect(outcomeOf({ end, result: null, isStopRequested: false })).toMatchObject({
    failure: { code: 'RUN_EXECUTION_ERROR', message: 'used 3 GB' },
  });
});

test('an end that the host did not prove as stopped is no stop', () => {
  const end = { exit_code: 1, signal: null, stopped: false };

  expect(outcomeOf({ end, result: failed, isStopRequested: true })).toMatchObject({ kind: 'failed' });
});

test("the user's own exception is the message", () => {
  const outcome = outcomeOf({ end: { ...exited, exit_code: 1 }, result: failed, isStopRequested: false });

  expect(outcome).toEqual({ kind: 'failed', failure: failed.failure });
});

test('the death of the driver explains an exception that followed from it', () => {
  const end = { ...exited, exit_code: 1, driver_message: 'The Spark driver ran out of memory' };

  expect(outcomeOf({ end, result: failed, isStopRequested: false })).toEqual({
    kind: 'failed',
    failure: { code: 'DRIVER_ERROR', message: 'The Spark driver ran out of memory', trace: 'Traceback' },
  });
});

test('a result that says success is not believed of a process that crashed afterwards', () => {
  const end = { exit_code: null, signal: 11, stopped: false };

  expect(outcomeOf({ end, result: succeeded, isStopRequested: false })).toMatchObject({
    kind: 'failed',
    failure: { message: expect.stringContaining('segmentation fault') },
  });
});

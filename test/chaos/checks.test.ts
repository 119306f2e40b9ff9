/** Each check of a round of chaos sees what it is there for: evidence that is sound, spoilt in one place at a time. */
import { expect, test } from 'vitest';
import {
  type AttemptRow,
  checks,
  type Evidence,
  findViolations,
  type PolicyRow,
  type RunRow,
} from '../../scripts/chaos/checks.ts';
import { parseDiary } from '../../scripts/chaos/diary.ts';

const aRun = (fields: Partial<RunRow> = {}): RunRow => ({
  ...{ run_id: 1, phase: 'ended', idempotency_token: 'deed-1', parent_attempt_id: null, generation: 0 },
  ...fields,
});
const anAttempt = (fields: Partial<AttemptRow>): AttemptRow => ({
  ...{ run_id: 1, task_key: 'load', iteration: 0, generation: 0, attempt: 0, attempt_id: 10 },
  ...{ state: 'ended', result: 'succeeded', worker_id: 'ash', started_at_ms: 1_000 },
  ...fields,
});
const aPolicy = (fields: Partial<PolicyRow> = {}): PolicyRow => ({
  ...{ run_id: 1, generation: 0, task_key: 'load', retriesMax: 1, onTimeout: false, isWork: true },
  ...fields,
});

const firstLife = ['start 10 1/load 500 1.0', 'beat 10 1/load 500 2.0'];
const secondLife = ['start 11 1/load 501 3.0', 'beat 11 1/load 501 4.0', 'end 11 1/load 501 4.5'];
const lost = anAttempt({ result: 'internal_error' });
const retried = anAttempt({ attempt: 1, attempt_id: 11, worker_id: 'birch' });

function evidence(
  fields: Partial<Omit<Evidence, 'diary'>> & { readonly diary?: readonly string[] } = {},
): Evidence {
  const { diary = [...firstLife, ...secondLife], ...rest } = fields;
  return {
    diary: parseDiary(diary.map((line) => `${line}\n`).join('')),
    ...{ attempts: [lost, retried], runs: [aRun()], policies: [aPolicy()], freezes: [] },
    ...{ tokens: new Map([['deed-1', new Set([1])]]), repairs: new Map() },
    ...rest,
  };
}

const found = (spoilt: Evidence) => findViolations(spoilt).map(({ check }) => check);

test('a task that was lost and tried again elsewhere is sound', () => {
  expect(findViolations(evidence())).toEqual([]);
});

const spoiltEvidence: readonly (readonly [string, string, Evidence])[] = [
  ['ended', 'a run goes on', evidence({ runs: [aRun({ phase: 'running' })] })],
  ['ended', 'an attempt goes on', evidence({ attempts: [lost, { ...retried, state: 'running' }] })],
  [
    'one start',
    'user code began twice under one number',
    evidence({ diary: [...firstLife, ...secondLife, 'start 11 1/load 502 9.0'] }),
  ],
  [
    'one start',
    'something beats that never began',
    evidence({ diary: [...firstLife.slice(1), ...secondLife] }),
  ],
  [
    'one at a time',
    'the first attempt beats after the second began',
    evidence({ diary: [...firstLife, ...secondLife, 'beat 10 1/load 500 3.1'] }),
  ],
  [
    'one at a time',
    'a child of the first attempt outlives it',
    evidence({ diary: [...firstLife, ...secondLife, 'child 10 1/load 777 3.1'] }),
  ],
  [
    'attempts by policy',
    'more retries than the policy has',
    evidence({ policies: [aPolicy({ retriesMax: 0 })] }),
  ],
  ['attempts by policy', 'a repair that nobody asked for', evidence({ runs: [aRun({ generation: 1 })] })],
  [
    'retries by policy',
    'a success was tried again',
    evidence({
      attempts: [anAttempt({}), retried],
      diary: [...firstLife, 'end 10 1/load 500 2.1', ...secondLife],
    }),
  ],
  [
    'retries by policy',
    'a time-out was tried again although the policy says no',
    evidence({ attempts: [{ ...lost, result: 'timed_out' }, retried] }),
  ],
  [
    'retries by policy',
    'a cancelled attempt was tried again',
    evidence({ attempts: [{ ...lost, result: 'cancelled' }, retried] }),
  ],
  [
    'successes ended',
    'a success that did not come to its end',
    evidence({ diary: [...firstLife, ...secondLife.slice(0, 2)] }),
  ],
  [
    'attempts known',
    'an attempt that the store does not know',
    evidence({ diary: [...firstLife, ...secondLife, 'start 99 1/load 600 9.0'] }),
  ],
  [
    'attempts known',
    'an attempt that did the work of another task',
    evidence({ diary: [...firstLife, ...secondLife.map((line) => line.replace('load', 'other'))] }),
  ],
  [
    'attempts known',
    'an attempt that is recorded as never begun',
    evidence({ attempts: [{ ...lost, started_at_ms: null }, retried] }),
  ],
  [
    'one run per token',
    'two answers to one token',
    evidence({ tokens: new Map([['deed-1', new Set([1, 2])]]) }),
  ],
  [
    'one run per token',
    'a token without a run',
    evidence({
      tokens: new Map([
        ['deed-1', new Set([1])],
        ['deed-2', new Set([])],
      ]),
    }),
  ],
  [
    'one run per token',
    'a run that nobody asked for',
    evidence({ runs: [aRun(), aRun({ run_id: 2, idempotency_token: null })] }),
  ],
  [
    'one run per token',
    'two runs of one task',
    evidence({
      runs: [
        aRun(),
        ...[2, 3].map((run_id) => aRun({ run_id, idempotency_token: null, parent_attempt_id: 10 })),
      ],
    }),
  ],
];

test.each(spoiltEvidence)('%s: %s', (check, _, spoilt) => {
  expect(found(spoilt)).toContain(check);
});

test('every check has evidence above that it must see', () => {
  expect(new Set(spoiltEvidence.map(([check]) => check))).toEqual(new Set(Object.keys(checks)));
});

test('a violation tells of its run, its time and the workers', () => {
  const [violation] = findViolations(
    evidence({ diary: [...firstLife, ...secondLife, 'beat 10 1/load 500 3.1'] }),
  );
  expect(violation).toMatchObject({
    runId: 1,
    atS: 3,
    message: expect.stringContaining('attempt 10 (of ash)'),
  });
});

test('what a machine does that was frozen whole is excused until it has heard of it, and no longer', () => {
  const late = (atS: number) => [...firstLife, ...secondLife, `beat 10 1/load 500 ${atS}`];
  const freezes = [{ worker: 'ash', fromS: 2, toS: 20 }];
  expect(found(evidence({ diary: late(24.9), freezes }))).toEqual([]);
  expect(found(evidence({ diary: late(25.1), freezes }))).toEqual(['one at a time']);
  expect(
    found(evidence({ diary: late(24.9), freezes: [{ ...freezes[0], worker: 'cedar' } as never] })),
  ).toEqual(['one at a time']);
});

test('a repair that was asked for may try again what its policy had given up', () => {
  const again = anAttempt({ generation: 1, attempt_id: 12 });
  const sound = evidence({
    diary: [...firstLife, 'start 12 1/load 503 5.0', 'end 12 1/load 503 6.0'],
    attempts: [lost, again],
    runs: [aRun({ generation: 1 })],
    policies: [aPolicy({ retriesMax: 0 }), aPolicy({ generation: 1, retriesMax: 0 })],
    repairs: new Map([[1, 1]]),
  });
  expect(found(sound)).toEqual([]);
});

test('a diary with a torn line is refused', () => {
  expect(() => parseDiary('start 10 1/load 500 1.0\nsta 10\n')).toThrow("not a line of the diary: 'sta 10'");
});

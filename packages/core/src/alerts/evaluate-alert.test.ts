import { describe, expect, test } from 'vitest';
import { type AlertCheck, decideAlertNews, evaluateAlert } from './evaluate-alert.ts';

describe('a value is compared', () => {
  test.each<[AlertCheck['value'], AlertCheck['operator'], AlertCheck['threshold'], string]>([
    [11, 'GREATER_THAN', 10, 'TRIGGERED'],
    [10, 'GREATER_THAN', 10, 'OK'],
    [10, 'GREATER_THAN_OR_EQUAL', 10, 'TRIGGERED'],
    [9, 'LESS_THAN', 10, 'TRIGGERED'],
    [10, 'LESS_THAN_OR_EQUAL', 10, 'TRIGGERED'],
    // Decimals are texts on their way.
    ['9.50', 'EQUAL', 9.5, 'TRIGGERED'],
    ['100', 'GREATER_THAN', '99', 'TRIGGERED'],
    // Beyond what a double can tell apart.
    ['9007199254740993', 'GREATER_THAN', '9007199254740992', 'TRIGGERED'],
    ['0.10000000000000000001', 'EQUAL', '0.1', 'OK'],
    ['2026-03-01', 'LESS_THAN', '2026-03-02', 'TRIGGERED'],
    ['north', 'EQUAL', 'south', 'OK'],
    ['north', 'NOT_EQUAL', 5, 'TRIGGERED'],
    [true, 'EQUAL', 'True', 'TRIGGERED'],
    [false, 'EQUAL', true, 'OK'],
    [null, 'IS_NULL', null, 'TRIGGERED'],
    [0, 'IS_NULL', null, 'OK'],
    [0, 'IS_NOT_NULL', null, 'TRIGGERED'],
    [null, 'NOT_EQUAL', 5, 'UNKNOWN'],
    [5, 'NOT_EQUAL', null, 'UNKNOWN'],
  ])('%j %s %j: %s', (value, operator, threshold, state) => {
    expect(evaluateAlert({ value, operator, threshold })).toEqual({ kind: 'state', state });
  });

  test('unless it is no number where one is needed, which is said', () => {
    expect(evaluateAlert({ value: 'many', operator: 'GREATER_THAN', threshold: 10 })).toEqual({
      kind: 'failed',
      message: "'many' is no number, and cannot be compared with 10",
    });
  });
});

describe('somebody is told', () => {
  const move = { toldAtMs: null, repeatMs: null, tellsOfOk: false, nowMs: 100_000 } as const;

  test('once when it is triggered', () => {
    expect(decideAlertNews({ ...move, from: 'OK', to: 'TRIGGERED' })).toEqual({
      isChange: true,
      isDue: true,
    });
    expect(decideAlertNews({ ...move, from: 'TRIGGERED', to: 'TRIGGERED', toldAtMs: 0 })).toEqual({
      isChange: false,
      isDue: false,
    });
  });

  test('where it was triggered before and nobody has been told', () => {
    expect(decideAlertNews({ ...move, from: 'TRIGGERED', to: 'TRIGGERED' })).toEqual({
      isChange: false,
      isDue: true,
    });
  });

  test('again after the time that the alert names', () => {
    const again = { ...move, from: 'TRIGGERED', to: 'TRIGGERED', toldAtMs: 40_000 } as const;

    expect(decideAlertNews({ ...again, repeatMs: 60_000 }).isDue).toBe(true);
    expect(decideAlertNews({ ...again, repeatMs: 60_001 }).isDue).toBe(false);
  });

  test('that it is well again only where the alert asks for it', () => {
    const well = { ...move, from: 'TRIGGERED', to: 'OK' } as const;

    expect(decideAlertNews(well)).toEqual({ isChange: true, isDue: false });
    expect(decideAlertNews({ ...well, tellsOfOk: true })).toEqual({ isChange: true, isDue: true });
    expect(decideAlertNews({ ...well, tellsOfOk: true, from: 'UNKNOWN' }).isDue).toBe(false);
  });
});

/**
 * When a job will probably be started, told by its schedule or by what clients did on the days before. Only what is near
 * counts: moments whose host should wait now.
 */
import { nextFireAfter } from '../trigger/next-fire.ts';
import type { CronExpression } from '../trigger/parse-cron.ts';
import type { ZoneOffsets } from '../trigger/zone-offsets.ts';

export interface ExpectedStart {
  readonly origin: 'schedule' | 'habit';
  /** The earliest moment of it, and the latest. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** A run that began at this moment or later is the one that was expected. */
  readonly metFromMs: number;
}

/** A host is begun so long before: on a busy machine a JVM that warms up takes half a minute, and they start one by one. */
export const preparedLeadMs = 120_000;
/** A host that nobody took is kept for so long after the latest moment. */
export const preparedLingerMs = 180_000;

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Of fires that have passed and are not over yet, more are not looked at. */
const passedMax = 16;

/** The fire that comes soon; else the one that has just passed. */
export function expectBySchedule(
  cron: CronExpression,
  zone: ZoneOffsets,
  nowMs: number,
): ExpectedStart | null {
  const next = nextFireAfter(cron, zone, nowMs);
  if (next !== null && next - preparedLeadMs <= nowMs) return fireAt(next);
  let passed: number | null = null;
  let fire = nextFireAfter(cron, zone, nowMs - preparedLingerMs - 1);
  for (let count = 0; fire !== null && fire <= nowMs && count < passedMax; count += 1) {
    passed = fire;
    fire = nextFireAfter(cron, zone, fire);
  }
  return passed === null ? null : fireAt(passed);
}

function fireAt(ms: number): ExpectedStart {
  return { origin: 'schedule', fromMs: ms, untilMs: ms, metFromMs: ms };
}

/** A client's own clock is seldom off by more, and what it waits for neither. */
export const habitToleranceMs = 5 * minuteMs;
/** So many of the last seven days: once or twice is no habit. */
export const habitDaysMin = 3;
const habitDays = 7;

export interface StartHistory {
  /** When clients started it; of the last seven days at least the moments of the day that are near. */
  readonly startsMs: readonly number[];
  readonly jobCreatedAtMs: number;
}

/**
 * A job that was started at about this minute of the day on three of the last seven days, one of which is the same
 * weekday, so that what runs from Monday to Friday is not expected on Saturday. Of a job that is no week old, one of them
 * is yesterday. A day is 24 hours: after a change of the clock a habit is learned anew.
 */
export function expectByHabit(
  { startsMs, jobCreatedAtMs }: StartHistory,
  nowMs: number,
): ExpectedStart | null {
  const isYoung = nowMs - jobCreatedAtMs < habitDays * dayMs;
  const ago = (isYoung ? 1 : habitDays) * dayMs;
  const candidates = startsMs
    .map((start) => start + ago)
    .filter((at) => isNear({ fromMs: at - habitToleranceMs, untilMs: at + habitToleranceMs }, nowMs))
    .sort((a, b) => a - b);
  for (const at of candidates) {
    const days = daysAround(at, startsMs);
    if (days.length < habitDaysMin) continue;
    const fromMs = Math.min(...days);
    const untilMs = Math.max(...days);
    if (!isNear({ fromMs, untilMs }, nowMs)) continue;
    return { origin: 'habit', fromMs, untilMs, metFromMs: fromMs - habitToleranceMs };
  }
  return null;
}

/** Of each day that has one, the start that is nearest to this moment of the day, as if it were today's. */
function daysAround(at: number, startsMs: readonly number[]): number[] {
  return Array.from({ length: habitDays }, (_, index) => (index + 1) * dayMs).flatMap((ago) => {
    const near = startsMs
      .map((start) => start + ago)
      .filter((moment) => Math.abs(moment - at) <= habitToleranceMs)
      .sort((a, b) => Math.abs(a - at) - Math.abs(b - at));
    return near.slice(0, 1);
  });
}

/** Whether a host for it should wait now. */
function isNear({ fromMs, untilMs }: Pick<ExpectedStart, 'fromMs' | 'untilMs'>, nowMs: number): boolean {
  return fromMs - preparedLeadMs <= nowMs && nowMs <= untilMs + preparedLingerMs;
}

/** The moments of past days at which a start could say something about now and the next `aheadMs`. */
export function habitWindows(nowMs: number, aheadMs: number): { fromMs: number; untilMs: number }[] {
  const spread = 2 * habitToleranceMs;
  return Array.from({ length: habitDays }, (_, index) => {
    const then = nowMs - (index + 1) * dayMs;
    return {
      fromMs: then - preparedLingerMs - spread,
      untilMs: then + aheadMs + preparedLeadMs + spread,
    };
  });
}

/** What a worker reports becomes news for its run. */
import type { AttemptReport } from '@headrace/worker';
import { RefusedByStore, type RunAdvancer } from '../runs/advance-run.ts';
import type { RunNews } from '../runs/run-draft.ts';

/** Resolves when it is durable, or is known to change nothing: a late or doubled report is neither error nor change. */
export async function reportAttempt(
  advancer: RunAdvancer,
  runId: number,
  report: AttemptReport,
): Promise<void> {
  switch (report.kind) {
    case 'started':
      await advancer.tellLazily(runId, [toStartedNews(report)]);
      return;
    case 'ended':
      return reportAttemptEnded(advancer, runId, report);
    case 'lost':
      await advancer.tell(runId, [toLostNews(report)]);
      return;
  }
}

/**
 * What user code reported may hold something that the store refuses for ever. The attempt has ended all the same: it
 * is then told as a failure of ours, without what was refused, so that no run waits for a report that cannot be kept.
 */
export async function reportAttemptEnded(
  advancer: Pick<RunAdvancer, 'tell'>,
  runId: number,
  report: Extract<AttemptReport, { kind: 'ended' }>,
): Promise<void> {
  const { attemptId, epoch, outcome, taskValues, exitValue, endedAtMs } = report;
  const moment = endedAtMs === undefined ? {} : { endedAtMs };
  const ended = { kind: 'attempt_ended', attemptId, epoch, ...moment } as const;
  try {
    await advancer.tell(runId, [{ event: { ...ended, outcome, taskValues }, exitValue }]);
  } catch (error) {
    if (!(error instanceof RefusedByStore)) throw error;
    const message =
      'What this attempt reported at its end could not be stored; the log of the server tells why.';
    const failure = { code: 'INTERNAL_ERROR', message, trace: null } as const;
    await advancer.tell(runId, [
      { event: { ...ended, outcome: { kind: 'failed', failure }, taskValues: {} } },
    ]);
  }
}

function toStartedNews({
  attemptId,
  epoch,
  startedAtMs,
}: Extract<AttemptReport, { kind: 'started' }>): RunNews {
  return { event: { kind: 'attempt_started', attemptId, epoch, startedAtMs } };
}

function toLostNews(report: Extract<AttemptReport, { kind: 'lost' }>): RunNews {
  const { attemptId, epoch, beforeUserCode, message } = report;
  return { event: { kind: 'attempt_lost', attemptId, epoch, beforeUserCode, message } };
}

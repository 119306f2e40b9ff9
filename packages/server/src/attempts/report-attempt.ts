/** What a worker reports becomes news for its run. */
import type { AttemptReport } from '@headrace/worker';
import type { RunAdvancer } from '../runs/advance-run.ts';
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

export async function reportAttemptEnded(
  advancer: RunAdvancer,
  runId: number,
  report: Extract<AttemptReport, { kind: 'ended' }>,
): Promise<void> {
  const { attemptId, epoch, outcome, taskValues, exitValue } = report;
  await advancer.tell(runId, [
    { event: { kind: 'attempt_ended', attemptId, epoch, outcome, taskValues }, exitValue },
  ]);
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

/** A worker's source that brings the workspace's files before its attempts start, and ships what they leave behind. */
import type { AttemptReport, AttemptSource } from '@headrace/worker';
import type { AttemptShipping } from './attempt-shipping.ts';
import type { WorkspaceMirror } from './workspace-mirror.ts';

export function watchSource(
  source: AttemptSource,
  { shipping, mirror }: { readonly shipping: AttemptShipping; readonly mirror: WorkspaceMirror },
): AttemptSource {
  return {
    ...source,
    async register(worker) {
      const resumed = await source.register(worker);
      shipping.resume(resumed);
      return resumed;
    },
    async claim(request) {
      const claimed = await source.claim(request);
      if (claimed.length === 0) return claimed;
      try {
        for (const attempt of claimed) shipping.begin(attempt);
        await mirror.bring();
      } catch (error) {
        // Better later than with the files of another day.
        shipping.drop(claimed);
        await source.release(request.workerId, claimed);
        throw error;
      }
      return claimed;
    },
    async heartbeat(request) {
      const told = await source.heartbeat(request);
      shipping.end(told.gone);
      return told;
    },
    async report(workerId, reports) {
      await source.report(workerId, reports);
      shipping.drop(reports.filter(isVoid));
      shipping.end(reports.filter((report) => report.kind !== 'started' && !isVoid(report)));
    },
  };
}

const isVoid = (report: AttemptReport) => report.kind === 'lost' && report.beforeUserCode;

/** The doctor of a running server: looks every minute, and when asked. */
import type { DoctorFinding, DoctorReport, Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { type DoctorSources, examine } from './examine.ts';

export interface Doctor {
  readonly loop: Loop;
  readonly handlers: Pick<Handlers<typeof routes, RequestContext>, 'doctor'>;
  /** How many of each kind and severity the last look found. */
  lastFindings(): readonly DoctorFinding[];
}

const everyMs = 60_000;
/** Those that find what is left undone. */
const ordinaryLoops = ['wake', 'admission', 'child-runs', 'lease'];

export function createDoctor(services: Services, sources: DoctorSources): Doctor {
  const { log } = services;
  let last: DoctorReport | null = null;
  let told = new Set<string>();
  const underWay = new Map<boolean, Promise<DoctorReport>>();

  /** Whoever asks while a look is under way gets its result: many askers cost no more than one. */
  function look(deep: boolean): Promise<DoctorReport> {
    const running = underWay.get(deep) ?? examine(services, sources, { deep });
    underWay.set(deep, running);
    return running.finally(() => underWay.delete(deep));
  }

  /** Once for each finding, not every minute. */
  function tell(findings: readonly DoctorFinding[]): void {
    for (const { kind, severity, message, run_id, task_key, attempt_id, worker_id } of findings) {
      if (told.has(message)) continue;
      const fields = { finding: kind, run_id, task_key, attempt: attempt_id, worker: worker_id };
      if (severity === 'error') log.error(fields, message);
      else log.warn(fields, message);
    }
    told = new Set(findings.map(({ message }) => message));
  }

  return {
    loop: {
      name: 'doctor',
      everyMs,
      async turn() {
        last = await look(false);
        tell(last.findings);
        if (last.findings.some(({ severity }) => severity === 'error'))
          for (const name of ordinaryLoops) sources.loops.wake(name);
        return 'idle';
      },
    },
    handlers: { doctor: ({ deep }) => look(deep) },
    lastFindings: () => last?.findings ?? [],
  };
}

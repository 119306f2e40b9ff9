/** Starts of hosts that failed, until the server knows. */
import type { HostReport, HostStatus } from './ports.ts';

type Failed = HostReport & { readonly state: 'failed' };

export class FailedStarts {
  readonly #report: (report: HostReport) => Promise<boolean>;
  /** By host key. */
  readonly #statuses = new Map<string, HostStatus>();

  /** `report` says whether it was recorded. */
  constructor(report: (report: HostReport) => Promise<boolean>) {
    this.#report = report;
  }

  list(): HostStatus[] {
    return [...this.#statuses.values()];
  }

  /** Shown as starting while its report is on its way, which it must not overtake; then as failed, if that was lost. */
  tell(failed: Failed): void {
    const { hostKey } = failed;
    const reported: HostStatus = { ...failed, state: 'starting' };
    this.#statuses.set(hostKey, reported);
    void this.#report(failed).then((isRecorded) => {
      if (this.#statuses.get(hostKey) !== reported) return;
      if (isRecorded) this.#statuses.delete(hostKey);
      else this.#statuses.set(hostKey, failed);
    });
  }

  /** A new start began. */
  clear(hostKey: string): void {
    this.#statuses.delete(hostKey);
  }

  /** A heartbeat has told of them. */
  forget(told: readonly HostStatus[]): void {
    for (const status of told) {
      const isOurs = status.state === 'failed' && this.#statuses.get(status.hostKey) === status;
      if (isOurs) this.#statuses.delete(status.hostKey);
    }
  }
}

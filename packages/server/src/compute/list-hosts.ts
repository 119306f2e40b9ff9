import type { Services } from '../services.ts';
import { type HostRow, listHosts } from './store.ts';

const hostsMax = 1_000;
/** Long enough to see why a host failed when one comes back to it. */
const failedShownMs = 3_600_000;

/** Hosts that are there, or failed within the last hour. */
export function listRecentHosts({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<HostRow[]> {
  return listHosts(db, clock.nowMs() - failedShownMs, hostsMax);
}

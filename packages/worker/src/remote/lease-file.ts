/** What a worker tells the guard of its lease. */
import fs from 'node:fs';
import path from 'node:path';
import type { ProcessIdentity } from '../hosts/local/processes.ts';
import { writeWhole } from './worker-state.ts';

export interface LeaseFile {
  readonly instance_id: string;
  /** Monotonic: of all processes of this machine since it started. */
  readonly overdue_at_ms: number;
  readonly worker: ProcessIdentity;
}

const locate = (folder: string) => path.join(folder, 'lease.json');

export function writeLeaseFile(folder: string, lease: LeaseFile): void {
  writeWhole(locate(folder), lease);
}

/** Null when the worker signed off. */
export function readLeaseFile(folder: string): LeaseFile | null {
  try {
    // Written above, whole.
    return JSON.parse(fs.readFileSync(locate(folder), 'utf8')) as LeaseFile;
  } catch {
    return null;
  }
}

export function removeLeaseFile(folder: string): void {
  fs.rmSync(locate(folder), { force: true });
}

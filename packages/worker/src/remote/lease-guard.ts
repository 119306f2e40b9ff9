/**
 * A process beside a worker on another machine: ends the hosts by force when the lease is about to end and the worker
 * did not, because it is dead, frozen or stuck. Without it what runs on a host would go on while others are given the
 * same work. It decides by one file and the monotonic clock, which all processes of a machine share.
 *
 *   node lease-guard.ts <state folder> <instance id>
 */
import fs from 'node:fs';
import path from 'node:path';
import { noteEnding } from '../hosts/local/host-death.ts';
import { readHostRecord } from '../hosts/local/local-host.ts';
import { isAlive, kill, killMarked } from '../hosts/local/processes.ts';
import { readLeaseFile } from './lease-file.ts';
import { monotonicMs } from './monotonic.ts';

/** A part of the margin that every lease has: a second of a lease of 12 s. */
const pollMs = 100;

async function guard(folder: string, instanceId: string): Promise<void> {
  for (let endedAtMs: number | null = null; ; ) {
    const lease = readLeaseFile(folder);
    // Signed off, or the next process of this worker has a guard of its own.
    if (lease === null || lease.instance_id !== instanceId) return;
    const isOverdue = monotonicMs() >= lease.overdue_at_ms;
    if (isOverdue && endedAtMs !== lease.overdue_at_ms) {
      await endHosts(path.join(folder, 'hosts'));
      endedAtMs = lease.overdue_at_ms;
    }
    // Of a worker that lives, the lease may come back.
    if (isOverdue && !isAlive(lease.worker)) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** The hosts' folders stay as they are: their journals are for the worker to read. */
async function endHosts(hostsFolder: string): Promise<void> {
  const names = fs.existsSync(hostsFolder) ? fs.readdirSync(hostsFolder) : [];
  await Promise.all(
    names.map(async (name) => {
      const folder = path.join(hostsFolder, name);
      const record = readHostRecord(folder);
      if (record !== null && isAlive(record)) {
        kill(record.pid);
        // After it: a disk that hangs must not keep it from the kill.
        noteEnding(folder, record.pid, 'guard');
      }
      await killMarked(folder);
    }),
  );
}

const [, , folder, instanceId] = process.argv;
if (folder === undefined || instanceId === undefined)
  throw new Error('lease-guard <state folder> <instance id>');
await guard(folder, instanceId);

/** Reads the journal of a host that is dead; headrace_runtime/journal.py writes it. */
import fs from 'node:fs';
import type { AttemptRef } from '../../ports.ts';
import type { HostedAttempt, HostedEnd } from '../host-protocol.ts';

interface JournalRecord {
  readonly kind: 'intended' | 'held' | 'started' | 'taken' | 'ended' | 'dropped' | 'acked';
  readonly attempt_id: number;
  readonly epoch: number;
  readonly pid?: number;
  readonly at_ms?: number;
  readonly owner_epoch?: number;
  readonly end?: HostedEnd;
}

/** The attempts that were not acknowledged. A last line that was cut off by a crash is ignored. */
export function readJournal(file: string): readonly HostedAttempt[] {
  return fs.existsSync(file) ? parseJournal(fs.readFileSync(file, 'utf8')) : [];
}

/**
 * Adds to the journal of a dead host, of which these attempts are `open`, that the ends of some are durable elsewhere.
 * What is led under a higher epoch by now is left.
 */
export function acknowledgeInJournal(
  file: string,
  open: readonly HostedAttempt[],
  refs: readonly AttemptRef[],
): void {
  const epochs = new Map<number, number>(refs.map(({ attemptId, epoch }) => [attemptId, epoch]));
  const told = open.filter(
    (hosted) => (hosted.owner_epoch ?? hosted.epoch) <= (epochs.get(hosted.attempt_id) ?? 0),
  );
  if (told.length === 0) return;
  const lines = told.map(
    ({ attempt_id, epoch }) => `${JSON.stringify({ kind: 'acked', attempt_id, epoch })}\n`,
  );
  // No link of a guest's is followed, and nothing that would keep us waiting.
  const { O_WRONLY, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(file, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  try {
    // The line before it may have been cut off by the crash.
    fs.writeSync(fd, `\n${lines.join('')}`);
  } finally {
    fs.closeSync(fd);
  }
}

export function parseJournal(text: string): readonly HostedAttempt[] {
  const attempts = new Map<number, HostedAttempt>();
  for (const line of text.split('\n')) {
    const record = parseRecord(line);
    if (record !== null) fold(attempts, record);
  }
  return [...attempts.values()];
}

function fold(attempts: Map<number, HostedAttempt>, record: JournalRecord): void {
  const { attempt_id, epoch } = record;
  const known = attempts.get(attempt_id);
  switch (record.kind) {
    case 'intended':
      attempts.set(attempt_id, { attempt_id, epoch, state: 'held', pid: null, started_at_ms: null });
      return;
    case 'dropped':
    case 'acked':
      // Of an earlier epoch: it is here again by now.
      if (known?.epoch === epoch) attempts.delete(attempt_id);
      return;
    case 'held':
    case 'started':
    case 'taken':
    case 'ended':
      if (known === undefined || known.epoch !== epoch) return;
      attempts.set(attempt_id, { ...known, ...factsOf(record) });
      return;
  }
}

function factsOf(record: JournalRecord): Partial<HostedAttempt> {
  if (record.kind === 'ended') return record.end === undefined ? {} : { state: 'ended', end: record.end };
  if (record.kind === 'taken')
    return record.owner_epoch === undefined ? {} : { owner_epoch: record.owner_epoch };
  const pid = record.pid ?? null;
  return record.kind === 'held' ? { pid } : { state: 'started', pid, started_at_ms: record.at_ms ?? null };
}

function parseRecord(line: string): JournalRecord | null {
  try {
    // Our own host wrote it.
    return JSON.parse(line) as JournalRecord;
  } catch {
    return null;
  }
}

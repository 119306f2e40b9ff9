import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { toAttemptId } from '@headrace/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acknowledgeInJournal, readJournal } from './journal.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'journal-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const end = { exit_code: 0, signal: null, started: true, at_ms: 9, stopped: false, log_truncated: false };

function journalOf(...lines: readonly (object | string)[]): string {
  const file = path.join(folder, 'journal.jsonl');
  fs.writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)).join(''),
  );
  return file;
}

test('each attempt is known by its last state', () => {
  const file = journalOf(
    { kind: 'intended', attempt_id: 1, epoch: 1 },
    { kind: 'intended', attempt_id: 2, epoch: 1 },
    { kind: 'intended', attempt_id: 3, epoch: 1 },
    { kind: 'started', attempt_id: 2, epoch: 1, pid: 22, at_ms: 4 },
    // The child is quicker than the host that writes down that it was held.
    { kind: 'held', attempt_id: 2, epoch: 1, pid: 22, start_time: 1 },
    { kind: 'started', attempt_id: 3, epoch: 1, pid: 33, at_ms: 4 },
    { kind: 'ended', attempt_id: 3, epoch: 1, end },
    { kind: 'taken', attempt_id: 3, epoch: 1, owner_epoch: 2 },
  );

  expect(readJournal(file)).toEqual([
    { attempt_id: 1, epoch: 1, state: 'held', pid: null, started_at_ms: null },
    { attempt_id: 2, epoch: 1, state: 'started', pid: 22, started_at_ms: 4 },
    { attempt_id: 3, epoch: 1, state: 'ended', pid: 33, started_at_ms: 4, owner_epoch: 2, end },
  ]);
});

test('what was dropped or acknowledged is forgotten, and a cut line is ignored', () => {
  const file = journalOf(
    { kind: 'intended', attempt_id: 1, epoch: 1 },
    { kind: 'dropped', attempt_id: 1, epoch: 1 },
    { kind: 'intended', attempt_id: 2, epoch: 1 },
    { kind: 'acked', attempt_id: 2, epoch: 1 },
    '{"kind":"intended","attempt_',
  );

  expect(readJournal(file)).toEqual([]);
});

test('what is acknowledged after the death of its host is forgotten, unless a later life leads it', () => {
  const file = journalOf(
    { kind: 'intended', attempt_id: 1, epoch: 1 },
    { kind: 'intended', attempt_id: 2, epoch: 1 },
    { kind: 'taken', attempt_id: 2, epoch: 1, owner_epoch: 3 },
    { kind: 'intended', attempt_id: 3, epoch: 1 },
    '{"kind":"ended","attempt_',
  );
  const told = [1, 2].map((attemptId) => ({ attemptId: toAttemptId(attemptId), epoch: 2 }));

  acknowledgeInJournal(file, readJournal(file), told);

  expect(readJournal(file).map(({ attempt_id }) => attempt_id)).toEqual([2, 3]);
});

test('no link in the place of a journal is followed', () => {
  const [file, elsewhere] = [journalOf({ kind: 'intended', attempt_id: 1, epoch: 1 }), `${folder}/elsewhere`];
  fs.renameSync(file, elsewhere);
  fs.symlinkSync(elsewhere, file);
  const before = fs.readFileSync(elsewhere, 'utf8');
  const told = [{ attemptId: toAttemptId(1), epoch: 1 }];

  expect(() => acknowledgeInJournal(file, readJournal(file), told)).toThrow('ELOOP');
  expect(fs.readFileSync(elsewhere, 'utf8')).toBe(before);
});

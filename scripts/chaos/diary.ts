/** What the tasks themselves have written: see task.py. */
import fs from 'node:fs';

export interface DiaryLine {
  readonly word: string;
  readonly attemptId: number;
  readonly name: string;
  readonly pid: number;
  /** CLOCK_MONOTONIC. */
  readonly atS: number;
}

export const diaryWords = ['start', 'beat', 'child', 'fail', 'end'] as const;

export function readDiary(file: string): DiaryLine[] {
  if (!fs.existsSync(file)) return [];
  return parseDiary(fs.readFileSync(file, 'utf8'));
}

export function parseDiary(text: string): DiaryLine[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => {
    const [word = '', attempt, name = '', pid, at] = line.split(' ');
    const parsed = { word, attemptId: Number(attempt), name, pid: Number(pid), atS: Number(at) };
    const isWhole = Number.isSafeInteger(parsed.attemptId) && Number.isFinite(parsed.atS);
    if (!isWhole || !diaryWords.some((known) => known === word))
      throw new Error(`not a line of the diary: '${line}'`);
    return parsed;
  });
}

/** One try of user code, from its first line to its last. */
export interface Life {
  readonly attemptId: number;
  readonly name: string;
  readonly pid: number;
  readonly starts: readonly number[];
  readonly firstS: number;
  readonly lastS: number;
  readonly hasEnded: boolean;
  readonly hasFailed: boolean;
}

export function toLives(lines: readonly DiaryLine[]): Life[] {
  return [...Map.groupBy(lines, ({ attemptId }) => attemptId).values()].map((ofAttempt) => {
    const starts = ofAttempt.filter(({ word }) => word === 'start');
    const first = ofAttempt[0] as DiaryLine; // A group has at least one.
    return {
      attemptId: first.attemptId,
      name: first.name,
      pid: first.pid,
      starts: starts.map(({ atS }) => atS),
      firstS: Math.min(...ofAttempt.map(({ atS }) => atS)),
      lastS: Math.max(...ofAttempt.map(({ atS }) => atS)),
      hasEnded: ofAttempt.some(({ word }) => word === 'end'),
      hasFailed: ofAttempt.some(({ word }) => word === 'fail'),
    };
  });
}

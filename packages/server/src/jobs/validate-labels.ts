/**
 * How many kinds of workers the tasks of one document ask for. Each kind is a queue of its own, in every server and at
 * every look for work: a job with a kind for each of its thousand tasks would slow the claims of all others.
 */
import type { JobSettings } from '@headrace/api';
import { askedLabelsByKey } from '../runs/task-documents.ts';

/** More than any fleet has kinds of machines. */
const labelSetsMax = 20;

export function findLabelProblems(settings: JobSettings): string[] {
  const kinds = new Set<string>();
  for (const labels of askedLabelsByKey(settings).values()) {
    const asked = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
    if (asked.length > 0) kinds.add(JSON.stringify(asked));
  }
  if (kinds.size <= labelSetsMax) return [];
  return [
    `tasks: they ask for ${kinds.size} different sets of headrace.worker_labels; at most ${labelSetsMax} are allowed in a job`,
  ];
}

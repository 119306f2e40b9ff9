// The tasks of a job as one list: its own, and those that a for-each runs for each of its inputs.

import { listAt, type Node, at as nodeAt, textAt } from '../nodes.ts';

export interface JobTask {
  readonly node: Node;
  /** null where none is written. */
  readonly key: string | null;
  /** Of a task that a for-each runs: the for-each. */
  readonly forEach: Node | null;
}

export function tasksOf(job: Node): JobTask[] {
  return listAt(job, 'tasks').flatMap((task) => {
    const own = { node: task, key: textAt(task, 'task_key'), forEach: null };
    const nested = nodeAt(task, 'for_each_task', 'task');
    return nested === undefined
      ? [own]
      : [own, { node: nested, key: textAt(nested, 'task_key'), forEach: task }];
  });
}

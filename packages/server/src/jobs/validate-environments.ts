/** Tasks name environments that their job declares, each once. */
import type { JobSettings, NestedTask, Task } from '@headrace/api';

export function findEnvironmentProblems(settings: JobSettings): string[] {
  const declared = (settings.environments ?? []).map(({ environment_key }) => environment_key);
  const keys = [...new Set(declared)];
  const tasks: (Task | NestedTask)[] = (settings.tasks ?? []).flatMap((task) =>
    task.for_each_task ? [task, task.for_each_task.task] : [task],
  );
  const doubled = keys.filter((key) => declared.indexOf(key) !== declared.lastIndexOf(key));
  return [
    ...doubled.map((key) => `environments: '${key}' is declared more than once`),
    ...tasks
      .filter(({ environment_key: key }) => key !== undefined && !keys.includes(key))
      .map(
        ({ task_key, environment_key }) =>
          `tasks: task '${task_key}' names the environment '${environment_key}', and the job declares ${
            keys.length === 0 ? 'none' : keys.map((key) => `'${key}'`).join(', ')
          }`,
      ),
  ];
}

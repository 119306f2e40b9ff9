/** What is wrong with a JAR task or a spark-submit task, as far as its own fields tell. */
import type { NestedTask, Task } from '@headrace/api';

/** Options that decide where Spark runs: the task's cluster does. */
const placeOptions = ['--master', '--deploy-mode', '--executor-cores'];

export function findJvmTaskProblems(task: Task | NestedTask): string[] {
  return [...findJarProblems(task), ...findSubmitProblems(task)];
}

function findJarProblems(task: Task | NestedTask): string[] {
  const jar = task.spark_jar_task;
  if (!jar) return [];
  const problems: string[] = [];
  if ((jar.main_class_name ?? '').trim() === '')
    problems.push('spark_jar_task.main_class_name: name the class whose main method is to be called');
  // An environment may bring it, and so may an all-purpose cluster that has libraries.
  const mayHaveJar =
    (jar.jar_uri ?? '') !== '' ||
    task.environment_key !== undefined ||
    task.existing_cluster_id !== undefined ||
    (task.libraries ?? []).some((library) => library.jar !== undefined || library.maven !== undefined);
  if (!mayHaveJar)
    problems.push('spark_jar_task: no JAR holds the main class; name it in libraries, as {"jar": "…"}');
  return problems;
}

function findSubmitProblems(task: Task | NestedTask): string[] {
  const submit = task.spark_submit_task;
  if (!submit) return [];
  const parameters = submit.parameters ?? [];
  if (parameters.length === 0)
    return ['spark_submit_task.parameters: give what would follow spark-submit, the application at least'];
  const refused = parameters.filter((parameter) =>
    placeOptions.some((option) => parameter === option || parameter.startsWith(`${option}=`)),
  );
  return refused.map(
    (parameter) =>
      `spark_submit_task.parameters: ${parameter} cannot be given: the task's cluster decides it`,
  );
}

/** Bundles of a size that hurts: a hundred jobs of ten tasks, and five hundred files. */
import fs from 'node:fs/promises';
import path from 'node:path';

export const jobs = 100;
export const tasksOfJob = 10;
export const files = 500;

/** A file for each job, as people write them, and one notebook that all tasks run. */
export async function writeJobs(folder: string, name: string): Promise<void> {
  const head = [
    `bundle: {name: ${name}}`,
    'include: [resources/*.yml]',
    'variables: {catalog: {default: main}}',
    'targets: {dev: {default: true}}',
  ];
  await write(folder, 'databricks.yml', `${head.join('\n')}\n`);
  await write(folder, 'src/load.py', '# Databricks notebook source\nprint(1)\n');
  for (let job = 0; job < jobs; job++) await write(folder, `resources/job_${job}.yml`, jobText(job));
}

function jobText(job: number): string {
  const tasks = Array.from({ length: tasksOfJob }, (_, task) => {
    const after = task === 0 ? '' : `\n          depends_on: [{task_key: step_${task - 1}}]`;
    return `        - task_key: step_${task}${after}
          job_cluster_key: main
          max_retries: 2
          min_retry_interval_millis: 10000
          notebook_task:
            notebook_path: ../src/load.py
            base_parameters: {catalog: "\${var.catalog}", step: "${task}", day: "{{job.start_time.iso_date}}"}`;
  });
  return `resources:
  jobs:
    job_${job}:
      name: job ${job} of \${bundle.target}
      tags: {team: data, number: "${job}"}
      max_concurrent_runs: 1
      schedule: {quartz_cron_expression: "0 ${job % 60} 2 * * ?", timezone_id: UTC}
      email_notifications: {on_failure: [data@example.com]}
      parameters: [{name: day, default: "2026-01-01"}]
      job_clusters:
        - job_cluster_key: main
          new_cluster: {spark_version: 17.x, num_workers: 2, spark_conf: {spark.sql.shuffle.partitions: "8"}}
      tasks:
${tasks.join('\n')}
`;
}

/** One job, and files of a few kilobytes in twenty folders. */
export async function writeFiles(folder: string, name: string): Promise<string[]> {
  const text = `bundle: {name: ${name}}
resources: {jobs: {main: {name: main, tasks: [{task_key: a, notebook_task: {notebook_path: ./src/load.py}}]}}}
`;
  await write(folder, 'databricks.yml', text);
  await write(folder, 'src/load.py', '# Databricks notebook source\nprint(1)\n');
  const written: string[] = [];
  for (let file = 0; file < files; file++) {
    const place = `src/part_${file % 20}/module_${file}.py`;
    await write(folder, place, `# ${name} ${file}\n${'VALUE = "some words of a module"\n'.repeat(100)}`);
    written.push(place);
  }
  return written;
}

async function write(folder: string, file: string, text: string): Promise<void> {
  await fs.mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await fs.writeFile(path.join(folder, file), text);
}

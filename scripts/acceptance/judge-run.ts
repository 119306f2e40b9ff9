/** In which points a run came to something else than expected. */
import type { Client } from '@headrace/api';
import type { ExpectedRun } from './expectations.ts';

interface Expected {
  readonly expected: ExpectedRun;
  /** Tasks that may be missing here. */
  readonly isOptional?: (key: string) => boolean;
}

export async function judgeRun(
  client: Client,
  run_id: number,
  { expected, isOptional }: Expected,
): Promise<string[]> {
  const run = await client.runsGet({ run_id });
  const problems: string[] = [];
  if (run.state?.result_state !== expected.state) {
    problems.push(`ended ${run.state?.result_state}, not ${expected.state}: ${run.state?.state_message}`);
  }
  for (const [key, [result, output]] of Object.entries(expected.tasks)) {
    const attempts = (run.tasks ?? []).filter(({ task_key }) => task_key === key);
    const task = attempts.at(-1);
    const count = expected.attempts?.[key] ?? attempts.length;
    if (attempts.length !== count) problems.push(`${key} had ${attempts.length} attempts, not ${count}`);
    if (task === undefined) {
      if (!isOptional?.(key)) problems.push(`${key} is not part of the run`);
      continue;
    }
    if (task.state?.result_state !== result) {
      const { state_message } = task.state ?? {};
      problems.push(`${key} ended ${task.state?.result_state}, not ${result}: ${state_message}`);
      continue;
    }
    problems.push(...(await judgeOutput(client, task.run_id, { key, output })));
    const secret = expected.neverLogged?.[key];
    if (secret !== undefined)
      problems.push(...(await judgeSecret(client, { run_id, task_run_id: task.run_id }, secret)));
  }
  return [
    ...problems,
    ...judgeWaits(
      (run.tasks ?? []).map(({ start_time }) => start_time ?? 0),
      expected,
    ),
  ];
}

interface ExpectedOutput {
  readonly key: string;
  readonly output: RegExp | undefined;
}

async function judgeOutput(
  client: Client,
  run_id: number,
  { key, output }: ExpectedOutput,
): Promise<string[]> {
  const found = await client.runsGetOutput({ run_id });
  const { notebook_output, sql_output, logs, error } = found;
  const text = notebook_output?.result ?? error ?? (sql_output ? JSON.stringify(sql_output) : logs) ?? '';
  if (output === undefined || output.test(text)) return [];
  return [`${key} gave ${JSON.stringify(text)}, not ${output}`];
}

async function judgeSecret(
  client: Client,
  task: { readonly run_id: number; readonly task_run_id: number },
  secret: string,
): Promise<string[]> {
  const { log } = await client.taskLog(task);
  if (log.includes(secret)) return ['the log shows a secret'];
  return log.includes('[REDACTED]') ? [] : ['the log shows no [REDACTED]'];
}

function judgeWaits(starts: readonly number[], { waitsMs }: ExpectedRun): string[] {
  if (waitsMs === undefined) return [];
  if (starts.length !== waitsMs.length + 1) return [`it had ${starts.length} attempts`];
  return waitsMs.flatMap((leastMs, index) => {
    const waitMs = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
    return waitMs >= leastMs && waitMs < 2 * leastMs ? [] : [`attempt ${index + 2} came after ${waitMs} ms`];
  });
}

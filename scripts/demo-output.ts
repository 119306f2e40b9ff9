/** What the demo prints of a run: each task as it moves, a table of results, a failed task's own words. */
import type { Client, NotebookOutput, RunEvent } from '../packages/api/src/index.ts';

type RunTask = RunEvent['tasks'][number];
type Table = Extract<NotebookOutput, { kind: 'table' }>;

// Enough for a result table on a screen; the UI shows all.
const ROWS_MAX = 40;
const CELL_CHARS_MAX = 28;
const LOG_BYTES_MAX = 4_000;

/** One line each time a task's state changes; `seen` remembers what was said. */
export function reportTask(
  task: RunTask,
  { seen, elapsedMs }: { seen: Map<string, string>; elapsedMs: number },
) {
  const { life_cycle_state: lifeCycle, result_state: result } = task.state;
  const state = result ?? lifeCycle;
  const key = `${task.task_key}/${task.attempt_number}`;
  if (seen.get(key) === state) return;
  seen.set(key, state);
  const isQuiet = ['PENDING', 'BLOCKED', 'QUEUED'].includes(state);
  if (isQuiet) return;
  const seconds = (elapsedMs / 1000).toFixed(1).padStart(6);
  const took =
    result === undefined || task.end_time <= task.start_time
      ? ''
      : ` after ${formatSeconds(task.end_time - task.start_time)}`;
  const attempt = task.attempt_number > 0 ? ` (attempt ${task.attempt_number + 1})` : '';
  console.log(
    `${seconds} s  ${task.task_key.padEnd(14)} ${state.toLowerCase()}${attempt}${task.start_time > 0 ? took : ''}`,
  );
}

export function printTable({ columns, rows, truncated }: Table) {
  const hasFractions = columns.map((_, index) =>
    rows.some((row) => typeof row[index] === 'number' && !Number.isInteger(row[index])),
  );
  const cells = [
    columns.map(({ name }) => name),
    ...rows
      .slice(0, ROWS_MAX)
      .map((row) => row.map((value, index) => formatCell(value, hasFractions[index]))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] ?? '').length)));
  const isNumeric = columns.map((_, index) =>
    rows.every((row) => row[index] === null || typeof row[index] === 'number'),
  );
  for (const [line, row] of cells.entries()) {
    const padded = row.map((text, index) =>
      isNumeric[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
    );
    console.log(`  ${padded.join('  ').trimEnd()}`);
    if (line === 0) console.log(`  ${widths.map((width) => '-'.repeat(width)).join('  ')}`);
  }
  const hidden = rows.length - ROWS_MAX;
  if (hidden > 0 || truncated) console.log(`  … ${hidden > 0 ? `${hidden} more rows` : 'more rows'}`);
  console.log('');
}

export async function printRunFailure(client: Client, run: RunEvent) {
  for (const task of run.tasks.filter(
    ({ state }) => state.result_state === 'FAILED' || state.result_state === 'TIMEDOUT',
  )) {
    const { error, error_trace: trace } = await client.runsGetOutput({ run_id: task.run_id });
    console.error(`\ntask ${task.task_key} failed: ${error ?? task.state.state_message ?? 'no message'}`);
    if (trace !== undefined) console.error(trace);
    const { size } = await client.taskLog({ run_id: run.run_id, task_run_id: task.run_id, limit: 1 });
    const offset = Math.max(0, size - LOG_BYTES_MAX);
    const { log } = await client.taskLog({
      run_id: run.run_id,
      task_run_id: task.run_id,
      offset,
      limit: LOG_BYTES_MAX,
    });
    if (log !== '') console.error(`the end of its output:\n${log}`);
  }
}

function formatCell(value: unknown, hasFraction = false) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return hasFraction ? value.toFixed(2) : String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > CELL_CHARS_MAX ? `${text.slice(0, CELL_CHARS_MAX - 1)}…` : text;
}

function formatSeconds(elapsedMs: number) {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}

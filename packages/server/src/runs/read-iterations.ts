/** A task run by its own id; of a for-each also its iterations, of which a page reads no more than it shows. */
import { expandedElementsMax, type RequestOf, type RunDocument, type routes, type Task } from '@headrace/api';
import { z } from 'zod';
import type { ApiVersion } from '../context.ts';
import { cutElements } from '../http/element-pages.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { readRunParts } from './read-run-parts.ts';
import type { RunView, TaskRunView } from './store.ts';
import { type IterationPosition, readIterationHistory, readLatestIterations } from './view-store.ts';
import { pagedFields, toTaskRunDocument } from './wire.ts';
import {
  findWrittenTask,
  noParts,
  type RunParts,
  settingsOf,
  toRunTaskDocument,
  type WireOptions,
} from './wire-tasks.ts';

/** As the columns hold it: a larger number is in no token of ours. */
const position = z.int().min(0).max(2_147_483_647);

/** Iterations are not counted off but named: those that begin meanwhile move none to another page. */
const TaskRunPosition = z.object({
  element: z.int().min(0),
  /** Null after the last one. */
  iteration: z.object({ iteration: position, generation: position, attempt: position }).nullable().optional(),
});

const firstPosition: z.output<typeof TaskRunPosition> = {
  element: 0,
  iteration: { iteration: 0, generation: 0, attempt: 0 },
};

export async function getTaskRunPage(
  services: Pick<Services, 'db'>,
  { run, taskRun }: { readonly run: RunView; readonly taskRun: TaskRunView },
  request: RequestOf<typeof routes.runsGet>,
  { apiVersion, publicUrl }: { readonly apiVersion: ApiVersion; readonly publicUrl: string },
): Promise<RunDocument> {
  const { db } = services;
  const includeResolvedValues = request.include_resolved_values;
  const options: WireOptions = { publicUrl, includeResolvedValues };
  const from = decodePageToken(request.page_token, TaskRunPosition) ?? firstPosition;
  const ofRun = await readRunParts(db, [run], { taskRuns: [taskRun], includeResolvedValues });
  const parts = ofRun.get(run.run_id) ?? noParts;
  const whole = toTaskRunDocument(run, taskRun, options, parts);
  const fields = apiVersion === '2.2' ? pagedFields : [];
  const { document, hasMore, next } = cutElements(whole, fields, from.element);
  const nestedKey = nestedKeyOf(run, taskRun, parts);
  if (nestedKey === null) {
    return hasMore ? { ...document, next_page_token: encodePageToken({ element: next }) } : document;
  }
  const page = await readIterations(services, { run, taskRun, nestedKey }, from.iteration ?? null, request);
  const ofRows = await readRunParts(db, [run], { taskRuns: page.rows, includeResolvedValues });
  const rowParts = ofRows.get(run.run_id) ?? noParts;
  const iterations = page.rows.map((row) => toRunTaskDocument(run, row, rowParts, options));
  const token = encodePageToken({ element: next, iteration: page.next });
  return {
    ...document,
    iterations,
    ...(hasMore || page.next !== null ? { next_page_token: token } : {}),
  };
}

function nestedKeyOf(run: RunView, taskRun: TaskRunView, parts: RunParts): string | null {
  const written = findWrittenTask(settingsOf(run, parts, taskRun.generation), taskRun.task_key);
  const forEach = written && 'for_each_task' in written ? (written as Task).for_each_task : undefined;
  return forEach?.task.task_key ?? null;
}

async function readIterations(
  { db }: Pick<Services, 'db'>,
  {
    run,
    taskRun,
    nestedKey,
  }: { readonly run: RunView; readonly taskRun: TaskRunView; readonly nestedKey: string },
  from: IterationPosition | null,
  { include_history: withHistory }: { readonly include_history: boolean },
): Promise<{ readonly rows: readonly TaskRunView[]; readonly next: IterationPosition | null }> {
  const { inputs_count: inputsCount } = taskRun;
  if (from === null || inputsCount === null) return { rows: [], next: null };
  const read = withHistory ? readIterationHistory : readLatestIterations;
  const rows = await read(db, {
    runId: run.run_id,
    attemptId: taskRun.attempt_id,
    nestedKey,
    inputsCount,
    generation: taskRun.generation,
    from,
    limit: expandedElementsMax + 1,
  });
  const beyond = rows[expandedElementsMax];
  const next = beyond
    ? { iteration: beyond.iteration, generation: beyond.generation, attempt: beyond.attempt }
    : null;
  return { rows: rows.slice(0, expandedElementsMax), next };
}

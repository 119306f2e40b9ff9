/** What a dbt task left: how each node came out, and an archive of what dbt made. */
import { ApiError, type RunOutput, type StreamedReply } from '@headrace/api';
import { z } from 'zod';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { TaskRunView } from './store.ts';

type Attempt = Pick<TaskRunView, 'run_id' | 'attempt_id'>;

const artifactsFile = 'dbt-artifacts.tar.gz';

/** As `headrace_runtime/dbt_task/results.py` writes it. */
const ResultsFile = z.looseObject({
  commands: z.array(
    z.looseObject({
      command: z.string(),
      success: z.boolean(),
      results: z.array(
        z.looseObject({
          unique_id: z.string(),
          status: z.string(),
          execution_time: z.number().optional(),
          message: z.string().optional(),
        }),
      ),
    }),
  ),
});

export async function toDbtOutput(
  blobs: BlobStore,
  attempt: Attempt,
  publicUrl: string,
): Promise<Pick<RunOutput, 'dbt_output'>> {
  const [results, artifacts] = await Promise.all([
    readResults(blobs, attempt),
    blobs.stat(keyOf(attempt, artifactsFile)),
  ]);
  const { run_id: runId, attempt_id: attemptId } = attempt;
  const link = `${publicUrl}/api/headrace/runs/${runId}/tasks/${attemptId}/dbt-artifacts`;
  return {
    dbt_output: {
      // Whoever asks has a token already: the link wants it too.
      ...(artifacts === null ? {} : { artifacts_link: link, artifacts_headers: {} }),
      ...(results === null ? {} : { headrace: { commands: results.commands } }),
    },
  };
}

export async function readDbtArtifacts(blobs: BlobStore, attempt: Attempt): Promise<StreamedReply> {
  const body = await blobs.stream(keyOf(attempt, artifactsFile));
  if (body === null)
    throw new ApiError(
      'RESOURCE_DOES_NOT_EXIST',
      `Task run ${attempt.attempt_id} has no artifacts of dbt; it may not have begun, or runs something else.`,
    );
  const disposition = `attachment; filename="dbt-artifacts-${attempt.attempt_id}.tar.gz"`;
  return {
    status: 200,
    headers: { 'content-type': 'application/gzip', 'content-disposition': disposition },
    body,
  };
}

async function readResults(blobs: BlobStore, attempt: Attempt): Promise<z.output<typeof ResultsFile> | null> {
  const bytes = await blobs.get(keyOf(attempt, 'dbt-results.json'));
  if (bytes === null) return null;
  try {
    return ResultsFile.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    // User code runs in the same process: what it wrote there is nothing of ours.
    return null;
  }
}

function keyOf({ run_id: runId, attempt_id: attemptId }: Attempt, file: string): string {
  return `attempts/${runId}/${attemptId}/${file}`;
}
